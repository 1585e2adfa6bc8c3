//! A single HTTP/1.1 request on its own connection; the answer may be a stream.
//!
//! awc's client is not used, because it cannot read an answer that ends with its connection (RFC 9112 6.3), as simple
//! servers send it, and because a pooled connection may be closed just when it is used.

use std::fmt::Write as _;
use std::io;

use actix_http::ResponseHead;
use actix_http::error::{ParseError, PayloadError};
use actix_http::h1::{ClientCodec, ClientPayloadCodec, MessageType};
use awc::BoxedSocket;
use awc::error::ConnectError;
use awc::http::header::{CONTENT_LENGTH, HeaderMap};
use awc::http::{Method, StatusCode, Uri};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_util::codec::Framed;

use super::Dialer;

/// A request.
pub struct Request {
    /// Method.
    pub method: Method,
    /// URL; `http` or `https`.
    pub uri: Uri,
    /// All headers but `Host`, `Connection` and `Content-Length`.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// An answer being received. Dropping it closes the connection.
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    body: Body,
}

enum Body {
    Empty,
    /// Its length is known from its headers.
    Framed(Box<Framed<BoxedSocket, ClientPayloadCodec>>),
    /// It ends with the connection.
    ToEnd(BoxedSocket, BytesMut),
}

/// Why there is no answer. The text contains no header and no body.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The connection could not be established.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The connection ended without an answer.
    #[error("it closed the connection without an answer")]
    Ended,
    /// The answer is not HTTP.
    #[error("it does not answer in HTTP: {0}")]
    NoHttp(ParseError),
}

impl From<ParseError> for ExchangeError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Io(error) => Self::Io(error),
            other => Self::NoHttp(other),
        }
    }
}

impl Dialer {
    /// Sends `request` and waits for the head of the answer. Only connecting has a time limit.
    ///
    /// # Errors
    /// See [`ExchangeError`]. An answer with an error status is not an error here.
    pub async fn exchange(&self, request: Request) -> Result<Response, ExchangeError> {
        let mut socket = self.dial(request.uri.clone()).await?;
        let sent = send(&mut socket, &request).await;
        let mut framed = Framed::new(socket, ClientCodec::default());
        let head = read_head(&mut framed).await;
        // A server that refuses a large request may close the connection before it has read all of it.
        let head = match (head, sent) {
            (Err(_), Err(error)) => return Err(error.into()),
            (head, _) => head?,
        };
        let is_empty = head.headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
        let body = match framed.codec().message_type() {
            MessageType::None if is_empty || head.status == StatusCode::NO_CONTENT => Body::Empty,
            MessageType::None => {
                let parts = framed.into_parts();
                Body::ToEnd(parts.io, parts.read_buf)
            }
            MessageType::Payload | MessageType::Stream => {
                Body::Framed(Box::new(framed.map_codec(ClientCodec::into_payload_codec)))
            }
        };
        Ok(Response { status: head.status, headers: head.headers.clone(), body })
    }
}

async fn send(socket: &mut BoxedSocket, request: &Request) -> io::Result<()> {
    let Request { method, uri, headers, body } = request;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    if !body.is_empty() {
        let mut length = String::new();
        let _ = write!(length, "content-length: {}\r\n", body.len());
        head.extend(length.into_bytes());
    }
    head.extend(b"\r\n");
    socket.write_all(&head).await?;
    socket.write_all(body).await?;
    socket.flush().await
}

/// The head of the answer, after informational ones (1xx).
async fn read_head(framed: &mut Framed<BoxedSocket, ClientCodec>) -> Result<ResponseHead, ExchangeError> {
    loop {
        let head = framed.next().await.ok_or(ExchangeError::Ended)??;
        if !head.status.is_informational() {
            return Ok(head);
        }
    }
}

impl Response {
    /// The next part of the body; `None` at its end.
    ///
    /// # Errors
    /// The connection failed, or the body is encoded incorrectly.
    pub async fn chunk(&mut self) -> io::Result<Option<Bytes>> {
        match &mut self.body {
            Body::Empty => Ok(None),
            Body::Framed(framed) => match framed.next().await {
                Some(Ok(chunk)) => Ok(chunk),
                None => Err(io::ErrorKind::UnexpectedEof.into()),
                Some(Err(PayloadError::Io(error))) => Err(error),
                Some(Err(error)) => Err(io::Error::new(io::ErrorKind::InvalidData, error.to_string())),
            },
            Body::ToEnd(socket, read) => {
                if read.is_empty() && socket.read_buf(read).await? == 0 {
                    return Ok(None);
                }
                Ok(Some(read.split().freeze()))
            }
        }
    }

    /// Reads the beginning of the body, up to `most` bytes; less if it ends early.
    pub async fn opening(&mut self, most: usize) -> Vec<u8> {
        let mut opening = Vec::new();
        while let Ok(Some(chunk)) = self.chunk().await {
            let room = most.saturating_sub(opening.len());
            opening.extend_from_slice(&chunk[..room.min(chunk.len())]);
            if opening.len() >= most {
                break;
            }
        }
        opening
    }

    /// The value of a header, if it is present and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
