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
pub(super) const DEFAULT_PORT: u16 = 80;

/// Time limit for the server's answer to the upgrade.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// Most bytes of the file in which the system describes a process.
const STAT_BYTES: usize = 16 * 1024;

/// Size of one read from the socket, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Why a connection could not be established.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The server cannot be reached.
    #[error("failed to connect to {endpoint}: {error}{}", hint(endpoint))]
    Unreachable {
        /// The address.
        endpoint: Box<Endpoint>,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The server requires a token.
    #[error("the server requires a token (401 Unauthorized): name the file that holds it with --token-file")]
    TokenMissing,
    /// The server does not know the token, or not any more.
    #[error(
        "the server does not accept this token (401 Unauthorized): it is wrong, has expired, or was replaced; get the \
         current one and name its file with --token-file"
    )]
    TokenRefused,
    /// The server accepts connections and says nothing.
    #[error("{}", silence(endpoint, *process))]
    Silent {
        /// The address.
        endpoint: Box<Endpoint>,
        /// The process that listens there, if it is known.
        process: Option<i32>,
    },
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

impl AttachError {
    /// Whether the same attempt may succeed a little later.
    pub fn may_come_back(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Full | Self::Silent { .. })
    }
}

fn hint(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Unix(path) => format!("\n\n{}", how_to_start(path)),
        Endpoint::WebSocket { .. } => String::new(),
    }
}

fn silence(endpoint: &Endpoint, process: Option<i32>) -> String {
    let seconds = HANDSHAKE.as_secs();
    let begin = format!("the server at {endpoint} did not answer within {seconds} s");
    match process {
        Some(process) if is_stopped(process) => {
            format!("{begin}: its process {process} is suspended; continue it with `kill -CONT {process}`")
        }
        // Whoever has made the socket may have handed it over and ended.
        Some(process) if !is_there(process) => format!("{begin}: it hands over to another one, or is busy; try again"),
        Some(process) => {
            format!("{begin}: its process {process} is busy, or hands over to another one; try again, or restart it")
        }
        None => format!("{begin}: it is busy or suspended, or something on the way loses what is sent; try again"),
    }
}

/// Whether there is such a process, as far as this system can tell.
fn is_there(process: i32) -> bool {
    !cfg!(target_os = "linux") || std::path::Path::new(&format!("/proc/{process}")).exists()
}

/// Whether the process is stopped by a signal, as Ctrl-Z does.
pub fn is_stopped(process: i32) -> bool {
    let path = format!("/proc/{process}/stat");
    let stat = plain_file::read_to_string(std::path::Path::new(&path), STAT_BYTES).unwrap_or_default();
    // The name of the program stands in parentheses, and may hold any character.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['T', 't']))
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
    let unreachable = |error| AttachError::Unreachable { endpoint: Box::new(endpoint.clone()), error };
    match endpoint {
        Endpoint::Unix(path) => {
            let stream = timeout(HANDSHAKE, connect_unix(path)).await;
            let stream = stream.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
            upgrade(stream, limits).await
        }
        Endpoint::WebSocket { url, token } => {
            let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let address = (host, url.port_u16().unwrap_or(DEFAULT_PORT));
            let stream = TcpStream::connect(address).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let opened = open(Box::new(stream), url, token.as_ref(), limits).await?;
            opened.ok_or_else(|| AttachError::Silent { endpoint: Box::new(endpoint.clone()), process: None })
        }
    }
}

/// Upgrades a connection to the Unix socket.
///
/// # Errors
/// The listener is not an app server.
pub async fn upgrade(stream: UnixStream, limits: &Limits) -> Result<(Sender, Messages), AttachError> {
    let process = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let path = stream.peer_addr().ok().and_then(|address| address.as_pathname().map(ToOwned::to_owned));
    let endpoint = Endpoint::Unix(path.unwrap_or_default());
    let opened = open(Box::new(stream), &Uri::from_static(UNIX_URL), None, limits).await?;
    opened.ok_or(AttachError::Silent { endpoint: Box::new(endpoint), process })
}

/// Upgrades a connection. Returns `None` if the server says nothing.
async fn open(
    socket: BoxedSocket,
    url: &Uri,
    token: Option<&Token>,
    limits: &Limits,
) -> Result<Option<(Sender, Messages)>, AttachError> {
    let bearer = token.map(|token| format!("Bearer {}", token.expose()));
    let headers: Vec<_> = bearer.iter().map(|bearer| (header::AUTHORIZATION, bearer.as_str())).collect();
    let Ok(handshake) = timeout(HANDSHAKE, shake_hands(socket, url, &headers)).await else { return Ok(None) };
    let (socket, read) = handshake.map_err(|error| refusal(error, token.is_some()))?;
    let (socket, writer) = tokio::io::split(socket);
    let mut reader = MessageReader::of_server(limits);
    reader.push(&read);
    let messages = Messages { socket, reader, chunk: vec![0; READ_BYTES] };
    let codec = Codec::new().client_mode();
    let sender = Sender { writer, codec, encoded: BytesMut::new(), frame_bytes: limits.websocket_frame_bytes };
    Ok(Some((sender, messages)))
}

fn refusal(error: HandshakeError, has_token: bool) -> AttachError {
    match error {
        HandshakeError::Refused(refusal) if refusal.head.status == StatusCode::UNAUTHORIZED => match has_token {
            true => AttachError::TokenRefused,
            false => AttachError::TokenMissing,
        },
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

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.kill().unwrap();
            self.0.wait().unwrap();
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_suspended_process_is_told_from_a_busy_one() {
        let child = Ended(Command::new("sleep").arg("600").spawn().unwrap());
        let process = i32::try_from(child.0.id()).unwrap();
        let endpoint = Endpoint::Unix("/s".into());
        assert!(silence(&endpoint, Some(process)).contains("is busy"));
        assert!(silence(&endpoint, Some(i32::MAX)).contains("it hands over to another one"));
        kill_process(Pid::from_child(&child.0), Signal::STOP).unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        while !is_stopped(process) {
            assert!(std::time::Instant::now() < deadline, "it stops");
            std::thread::yield_now();
        }
        let text = silence(&endpoint, Some(process));
        assert!(text.ends_with(&format!("is suspended; continue it with `kill -CONT {process}`")), "{text}");
        assert!(silence(&endpoint, None).contains("busy or suspended"));
    }
}
