//! The client's side of the WebSocket handshake (RFC 6455 4.1), over an existing connection.

use std::{fmt, io};

use actix_http::ResponseHead;
use actix_http::error::ParseError;
use actix_http::h1::ClientCodec;
use actix_http::ws::hash_key;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Uri};
use awc::BoxedSocket;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio_util::codec::Framed;
use uuid::Uuid;

/// Why a WebSocket handshake failed.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// The value of this header contains a line break.
    #[error("the value of {0} does not fit into a header")]
    Header(HeaderName),
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The server closed the connection without an answer.
    #[error("it closed the connection")]
    Ended,
    /// The answer is not HTTP.
    #[error("{0}")]
    NoHttp(#[from] ParseError),
    /// The status is not 101.
    #[error("it answered {}", .0.head.status)]
    Refused(Box<Refusal>),
    /// The answer upgrades to another protocol.
    #[error("its answer does not upgrade to WebSocket")]
    NotWebSocket,
    /// `Sec-WebSocket-Accept` does not match the key.
    #[error("its answer does not match the key of the handshake")]
    AnotherRequest,
    /// The answer selects an extension or a subprotocol that was not offered.
    #[error("its answer selects an extension or a subprotocol that was not offered")]
    Unasked,
}

/// An answer other than an upgrade.
pub struct Refusal {
    /// Status and headers.
    pub head: ResponseHead,
    framed: Framed<BoxedSocket, ClientCodec>,
}

/// Requests an upgrade at `uri` with the additional headers `more`, without subprotocol or extension. Returns the
/// socket and the bytes that followed the answer. It has no time limit; the caller sets one.
///
/// # Errors
/// See [`HandshakeError`].
pub async fn shake_hands(
    mut socket: BoxedSocket,
    uri: &Uri,
    more: &[(HeaderName, &str)],
) -> Result<(BoxedSocket, Bytes), HandshakeError> {
    let key = BASE64.encode(Uuid::new_v4().as_bytes());
    // Written by hand, because awc adds headers of its own and sets up TLS for a socket that needs none.
    socket.write_all(request(uri, &key, more)?.as_bytes()).await?;
    socket.flush().await?;
    let mut framed = Framed::new(socket, ClientCodec::default());
    let head = framed.next().await.ok_or(HandshakeError::Ended)??;
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(HandshakeError::Refused(Box::new(Refusal { head, framed })));
    }
    check(&head, &key)?;
    let parts = framed.into_parts();
    Ok((parts.io, parts.read_buf.freeze()))
}

/// The request; it has no body.
fn request(uri: &Uri, key: &str, more: &[(HeaderName, &str)]) -> Result<String, HandshakeError> {
    let host = uri.authority().ok_or(HandshakeError::NoHost)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = format!("GET {path} HTTP/1.1\r\n");
    let upgrade = [
        (header::HOST, host.as_str()),
        (header::CONNECTION, "Upgrade"),
        (header::UPGRADE, "websocket"),
        (header::SEC_WEBSOCKET_VERSION, "13"),
        (header::SEC_WEBSOCKET_KEY, key),
    ];
    for (name, value) in upgrade.iter().chain(more) {
        if HeaderValue::from_str(value).is_err() {
            return Err(HandshakeError::Header(name.clone()));
        }
        head.extend([name.as_str(), ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    Ok(head)
}

/// Checks that the answer accepts our upgrade.
fn check(answer: &ResponseHead, key: &str) -> Result<(), HandshakeError> {
    let says = |name, expected: &str| {
        (answer.headers.get_all(name).filter_map(|value| value.to_str().ok()))
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(expected))
    };
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        return Err(HandshakeError::NotWebSocket);
    }
    let proof = answer.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if proof != Some(hash_key(key.as_bytes()).as_slice()) {
        return Err(HandshakeError::AnotherRequest);
    }
    let unasked = [header::SEC_WEBSOCKET_EXTENSIONS, header::SEC_WEBSOCKET_PROTOCOL];
    if unasked.iter().any(|name| answer.headers.contains_key(name)) {
        return Err(HandshakeError::Unasked);
    }
    Ok(())
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal").field("status", &self.head.status).finish_non_exhaustive()
    }
}

impl Refusal {
    /// Reads about `bytes` of the body at most, and appends them to `body` as they arrive.
    pub async fn read(self, bytes: usize, body: &mut Vec<u8>) {
        // The codec treats a length of zero as unknown and would wait for the end of the connection.
        if self.head.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0") {
            return;
        }
        let mut payload = self.framed.map_codec(ClientCodec::into_payload_codec);
        while body.len() < bytes
            && let Some(Ok(Some(chunk))) = payload.next().await
        {
            body.extend_from_slice(&chunk);
        }
    }
}
