//! A WebSocket connection to a server, as a sender and a receiver.

use std::{io, time::Duration};

use actix_http::ws::{CloseCode, Codec, Item, Message};
use app_server_actors::{
    limits::Limits,
    wire::{
        handshake::{HandshakeError, shake_hands},
        reader::{Incoming, MessageReader},
    },
};
use awc::{
    BoxedSocket,
    http::{StatusCode, Uri, header},
};
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_util::codec::Encoder as _;

use super::{Endpoint, Token, connect_unix, how_to_start};

/// The URL that the official client uses on a Unix socket. The path has no meaning.
const UNIX_URL: &str = "ws://localhost/rpc";

/// The port of `ws://` (RFC 6455 section 3).
const DEFAULT_PORT: u16 = 80;

/// Time limit for the server's answer to the upgrade.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Size of one read from the socket, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Why a connection could not be established.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The server cannot be reached.
    #[error("failed to connect to {endpoint}: {error}{}", hint(endpoint))]
    Unreachable {
        /// The address.
        endpoint: Endpoint,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The server requires a token, or another one.
    #[error("the server refuses the connection (401 Unauthorized): give it its token with --token-file")]
    Unauthorized,
    /// The server has as many clients as it may have.
    #[error("the server is full (503 Service Unavailable): close some clients, or raise http.max_connections")]
    Full,
    /// The server refuses this client.
    #[error("the server refuses the connection ({0})")]
    Refused(StatusCode),
    /// The listener is not an app server.
    #[error("the program that listens there does not speak WebSocket: {0}")]
    NoWebSocket(String),
}

fn hint(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(path) => format!("\n\n{}", how_to_start(path)),
        Endpoint::WebSocket { .. } => String::new(),
    }
}

/// Sends text messages.
pub struct Sender {
    writer: WriteHalf<BoxedSocket>,
    codec: Codec,
    encoded: BytesMut,
    frame_bytes: usize,
}

/// Receives messages up to the limit on their size.
pub struct Messages {
    socket: ReadHalf<BoxedSocket>,
    reader: MessageReader,
    chunk: Vec<u8>,
}

impl Messages {
    /// The next message; `None` at the end. It is cancel-safe.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = self.reader.next() {
                return Some(incoming);
            }
            if self.reader.has_ended() {
                return None;
            }
            match self.socket.read(&mut self.chunk).await {
                Ok(read @ 1..) => self.reader.push(&self.chunk[..read]),
                Ok(0) | Err(_) => return None,
            }
        }
    }
}

/// Connects to `endpoint`. After the connection is accepted, it takes at most [`HANDSHAKE`].
///
/// # Errors
/// See [`AttachError`].
pub async fn connect(endpoint: &Endpoint, limits: &Limits) -> Result<(Sender, Messages), AttachError> {
    let unreachable = |error| AttachError::Unreachable { endpoint: endpoint.clone(), error };
    match endpoint {
        Endpoint::Unix(path) => upgrade(connect_unix(path).await.map_err(unreachable)?, limits).await,
        Endpoint::WebSocket { url, token } => {
            let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let address = (host, url.port_u16().unwrap_or(DEFAULT_PORT));
            let stream = TcpStream::connect(address).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            open(Box::new(stream), url, token.as_ref(), limits).await
        }
    }
}

/// Upgrades a connection to the Unix socket.
///
/// # Errors
/// The listener is not an app server.
pub async fn upgrade(stream: UnixStream, limits: &Limits) -> Result<(Sender, Messages), AttachError> {
    open(Box::new(stream), &Uri::from_static(UNIX_URL), None, limits).await
}

/// Upgrades a connection.
async fn open(
    socket: BoxedSocket,
    url: &Uri,
    token: Option<&Token>,
    limits: &Limits,
) -> Result<(Sender, Messages), AttachError> {
    let bearer = token.map(|token| format!("Bearer {}", token.expose()));
    let headers: Vec<_> = bearer.iter().map(|bearer| (header::AUTHORIZATION, bearer.as_str())).collect();
    let handshake = timeout(HANDSHAKE, shake_hands(socket, url, &headers)).await;
    let (socket, read) =
        handshake.map_err(|_| AttachError::NoWebSocket("it does not answer".to_owned()))?.map_err(refusal)?;
    let (socket, writer) = tokio::io::split(socket);
    let mut reader = MessageReader::of_server(limits);
    reader.push(&read);
    let messages = Messages { socket, reader, chunk: vec![0; READ_BYTES] };
    let codec = Codec::new().client_mode();
    Ok((Sender { writer, codec, encoded: BytesMut::new(), frame_bytes: limits.websocket_frame_bytes }, messages))
}

fn refusal(error: HandshakeError) -> AttachError {
    match error {
        HandshakeError::Refused(refusal) if refusal.head.status == StatusCode::UNAUTHORIZED => {
            AttachError::Unauthorized
        }
        HandshakeError::Refused(refusal) if refusal.head.status == StatusCode::SERVICE_UNAVAILABLE => AttachError::Full,
        HandshakeError::Refused(refusal) => AttachError::Refused(refusal.head.status),
        other => AttachError::NoWebSocket(other.to_string()),
    }
}

impl Sender {
    /// Sends a text message, split into several frames if it exceeds the server's limit on frames.
    ///
    /// # Errors
    /// The server is gone.
    pub async fn text(&mut self, text: ByteString) -> io::Result<()> {
        if text.len() <= self.frame_bytes {
            return self.send(Message::Text(text)).await;
        }
        let mut rest = text.into_bytes();
        let first = rest.split_to(self.frame_bytes);
        self.send(Message::Continuation(Item::FirstText(first))).await?;
        while rest.len() > self.frame_bytes {
            let next = rest.split_to(self.frame_bytes);
            self.send(Message::Continuation(Item::Continue(next))).await?;
        }
        self.send(Message::Continuation(Item::Last(rest))).await
    }

    /// Answers a ping.
    ///
    /// # Errors
    /// The server is gone.
    pub async fn pong(&mut self, payload: Bytes) -> io::Result<()> {
        self.send(Message::Pong(payload)).await
    }

    /// Closes the connection.
    ///
    /// # Errors
    /// The server is gone.
    pub async fn close(&mut self) -> io::Result<()> {
        self.send(Message::Close(Some(CloseCode::Normal.into()))).await
    }

    /// Closes the sending direction and leaves the other one open for the last answers.
    ///
    /// # Errors
    /// The server is gone.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.writer.shutdown().await
    }

    async fn send(&mut self, message: Message) -> io::Result<()> {
        self.encoded.clear();
        self.codec.encode(message, &mut self.encoded).map_err(io::Error::other)?;
        self.writer.write_all(&self.encoded).await?;
        self.writer.flush().await?;
        if self.encoded.capacity() > READ_BYTES {
            self.encoded = BytesMut::new();
        }
        Ok(())
    }
}
