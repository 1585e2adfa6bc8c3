//! From a URL to a socket (spec: remote control 5).

use actix_http::ResponseHead;
use actix_http::h1::ClientCodec;
use actix_http::ws::hash_key;
use actix_rt::net::TcpStream;
use actix_tls::connect::{ConnectError as TcpConnectError, ConnectInfo, Connection};
use actix_web::dev::{Service, fn_service};
use awc::error::ConnectError;
use awc::http::header::{self, HeaderValue};
use awc::http::{StatusCode, Uri, Version};
use awc::{Connect, Connector};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt;
use secrecy::ExposeSecret;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_util::codec::Framed;
use uuid::Uuid;

use super::socket::Socket;
use super::{Dial, DialError, RemoteLinkLimits};

/// Connects to the backend and upgrades. Follows no redirect, and asks for no subprotocol and no extension.
///
/// # Errors
/// See [`DialError`].
pub(super) async fn dial(dial: &Dial, cursor: Option<&str>, limits: &RemoteLinkLimits) -> Result<Socket, DialError> {
    let uri: Uri = dial.url.parse().map_err(failed)?;
    let (head, key) = request(dial, &uri, cursor)?;
    let connector = Connector::new()
        .connector(fn_service(connect))
        .timeout(limits.dial())
        .handshake_timeout(limits.dial())
        // There are no upgrades in HTTP/2, and the backend would choose it.
        .max_http_version(Version::HTTP_11)
        .finish();
    let connection = connector.call(Connect { uri, addr: None }).await.map_err(|error| match error {
        ConnectError::Timeout => DialError::TimedOut,
        other => failed(other),
    })?;
    let mut framed = Framed::new(connection, ClientCodec::default());
    // By hand, because awc would add a date, and this request is told by its headers.
    framed.get_mut().write_all(head.as_bytes()).await.map_err(failed)?;
    framed.get_mut().flush().await.map_err(failed)?;
    let answer = framed.next().await.ok_or_else(|| failed("the backend ended the connection"))?.map_err(failed)?;
    if answer.status != StatusCode::SWITCHING_PROTOCOLS {
        let mut payload = framed.map_codec(ClientCodec::into_payload_codec);
        let mut body = Vec::new();
        // The codec takes a length of zero for none at all, and would wait for the end of the connection.
        let is_empty = answer.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
        let reading = async {
            while !is_empty
                && body.len() < limits.refusal_bytes
                && let Some(Ok(Some(bytes))) = payload.next().await
            {
                body.extend_from_slice(&bytes);
            }
        };
        if timeout(limits.refusal(), reading).await.is_err() {
            log::debug!("the body of the backend's refusal did not come in time");
        }
        body.truncate(limits.refusal_bytes);
        return Err(refusal(&answer, &body));
    }
    check(&answer, &key)?;
    let parts = framed.into_parts();
    Ok(Socket { io: Box::new(parts.io), read: parts.read_buf.freeze() })
}

fn failed(error: impl std::fmt::Display) -> DialError {
    DialError::Failed(error.to_string())
}

/// Opens the TCP connection below. Awc's own way would let small messages wait for each other (Nagle's algorithm), and
/// takes no address in brackets.
async fn connect(info: ConnectInfo<Uri>) -> Result<Connection<Uri, TcpStream>, TcpConnectError> {
    let uri = info.request().clone();
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(TcpConnectError::Io)?;
    stream.set_nodelay(true).map_err(TcpConnectError::Io)?;
    Ok(Connection::new(uri, stream))
}

/// The head of the request, complete, and the key that its answer must prove to have seen.
fn request(dial: &Dial, uri: &Uri, cursor: Option<&str>) -> Result<(String, String), DialError> {
    let host = uri.authority().ok_or_else(|| failed("the URL has no host"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let key = BASE64.encode(Uuid::new_v4().as_bytes());
    let mut head = format!("GET {path} HTTP/1.1\r\n");
    for (name, value) in [
        ("host", host.as_str()),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", &key),
        ("authorization", &format!("Bearer {}", dial.server_token.expose_secret())),
        ("x-codex-server-id", &dial.server_id),
        ("x-codex-name", &BASE64.encode(&dial.server_name)),
        ("x-codex-protocol-version", "3"),
        ("x-codex-installation-id", &dial.installation_id),
    ] {
        push(&mut head, name, value).map_err(|()| failed(format_args!("what {name} says fits into no header")))?;
    }
    if let Some(Err(())) = cursor.map(|cursor| push(&mut head, "x-codex-subscribe-cursor", cursor)) {
        log::warn!("the backend's cursor fits into no header, so it is told none");
    }
    head.push_str("\r\n");
    Ok((head, key))
}

/// Adds a header, unless its value would be more than one.
fn push(head: &mut String, name: &str, value: &str) -> Result<(), ()> {
    HeaderValue::from_str(value).map_err(|_| ())?;
    head.extend([name, ": ", value, "\r\n"]);
    Ok(())
}

/// The answer must be one to our upgrade (RFC 6455 4.1).
fn check(answer: &ResponseHead, key: &str) -> Result<(), DialError> {
    let says = |name, expected: &str| {
        (answer.headers.get_all(name).filter_map(|value| value.to_str().ok()))
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(expected))
    };
    let proof = answer.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        return Err(failed("the backend's upgrade is not to WebSocket"));
    }
    if proof != Some(hash_key(key.as_bytes()).as_slice()) {
        return Err(failed("the backend's upgrade answers another request"));
    }
    let unasked = [header::SEC_WEBSOCKET_EXTENSIONS, header::SEC_WEBSOCKET_PROTOCOL];
    if unasked.iter().any(|name| answer.headers.contains_key(name)) {
        return Err(failed("the backend's upgrade chose an extension or a protocol that nobody offered"));
    }
    Ok(())
}

fn refusal(answer: &ResponseHead, body: &[u8]) -> DialError {
    let told =
        |name: &str| answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    DialError::Refused {
        status: answer.status.as_u16(),
        retry_after: told("retry-after"),
        body: String::from_utf8_lossy(body).into_owned(),
        request_id: told("x-request-id").or_else(|| told("x-oai-request-id")),
        cf_ray: told("cf-ray"),
    }
}
