//! One connection to a contestant: as little code between the clock and the system call as can be.

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;
use std::time::Duration;

use crate::Result;
use crate::frame::{Framing, Kind, bears};

/// The server said goodbye, with this code if it gave one.
#[derive(Debug)]
pub struct Closed(pub Option<u16>);

impl fmt::Display for Closed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code) = self;
        write!(formatter, "the server closed the connection ({code:?})")
    }
}

impl std::error::Error for Closed {}

/// A connection. Sockets and pipes are the same thing here: descriptors that are read and written.
pub struct Client {
    reader: Arc<File>,
    writer: Arc<File>,
    framing: Framing,
    input: Vec<u8>,
    /// The part of `input` that was read and not yet handed out.
    unread: std::ops::Range<usize>,
}

impl Client {
    /// Room for what one read may bring; a longer message makes it grow.
    const INPUT_BYTES: usize = 16 * 1024;
    /// After this long without an answer the run is over.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Connects to a Unix socket.
    pub fn over_unix(path: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(Self::PATIENCE))?;
        Ok(Self::over_socket(stream.into()))
    }

    /// Connects to a TCP port.
    pub fn over_tcp(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Self::PATIENCE))?;
        Ok(Self::over_socket(stream.into()))
    }

    /// Takes the pipes of a child.
    pub fn over_pipes(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (reader, writer) = (File::from(OwnedFd::from(stdout)), File::from(OwnedFd::from(stdin)));
        Self::new(Arc::new(reader), Arc::new(writer), Framing::Lines)
    }

    /// Takes the pipes of a child that passes bytes between them and a socket.
    pub fn over_bridge(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        Self { framing: Framing::WebSocket, ..Self::over_pipes(stdin, stdout) }
    }

    /// Takes a socket that is connected.
    pub fn over_socket(socket: OwnedFd) -> Self {
        let socket = Arc::new(File::from(socket));
        Self::new(Arc::clone(&socket), socket, Framing::WebSocket)
    }

    fn new(reader: Arc<File>, writer: Arc<File>, framing: Framing) -> Self {
        Self { reader, writer, framing, input: vec![0; Self::INPUT_BYTES], unread: 0..0 }
    }

    /// How messages are told apart on this connection.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The descriptor that becomes readable when messages arrive.
    pub fn descriptor(&self) -> &File {
        &self.reader
    }

    /// Sends bytes that are framed already. On a connection of a [`Crowd`](crate::crowd::Crowd) a full socket is an
    /// error: what a benchmark has on its way always fits.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        (&*self.writer).write_all(bytes)
    }

    /// Sends one message.
    pub fn send(&mut self, text: &str) -> std::io::Result<()> {
        self.write(&self.framing.encode(text))
    }

    /// Reads once. False when that took everything there was (a short read says so without another system call).
    pub fn fill(&mut self) -> std::io::Result<bool> {
        if self.unread.start > 0 {
            self.input.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
        }
        if self.unread.end == self.input.len() {
            self.input.resize(self.input.len() * 2, 0);
        }
        let space = &mut self.input[self.unread.end..];
        match (&*self.reader).read(space) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                let full = read == space.len();
                self.unread.end += read;
                Ok(full)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The next message that has been read completely.
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        while let Some(found) = self.framing.find(&self.input[self.unread.clone()]) {
            let start = self.unread.start;
            self.unread.start += found.length;
            match found.kind {
                Kind::Text => return Ok(Some(&self.input[start + found.payload.start..start + found.payload.end])),
                Kind::Close => {
                    let code = self.input[start + found.payload.start..start + found.payload.end].first_chunk();
                    return Err(Closed(code.map(|code| u16::from_be_bytes(*code))).into());
                }
                Kind::Other => {}
            }
        }
        Ok(None)
    }

    /// Waits for a message whose head bears `mark` and hands it to `take`; a refusal on the way is an error.
    pub fn wait_for<T>(&mut self, mark: &[u8], take: impl FnOnce(&[u8]) -> T) -> Result<T> {
        loop {
            while let Some(text) = self.next()? {
                if bears(text, mark) {
                    return Ok(take(text));
                }
                if bears(text, br#""error""#) {
                    return Err(format!("refused: {}", String::from_utf8_lossy(text)).into());
                }
            }
            self.fill()?;
        }
    }

    /// Asks for a WebSocket.
    pub fn upgrade(&mut self, path: &str) -> Result<()> {
        self.write(
            format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            .as_bytes(),
        )?;
        loop {
            let head = &self.input[self.unread.clone()];
            if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                if !head.starts_with(b"HTTP/1.1 101") {
                    return Err(format!("no upgrade: {}", String::from_utf8_lossy(head)).into());
                }
                self.unread.start += end + 4;
                return Ok(());
            }
            self.fill()?;
        }
    }

    /// The handshake of the protocol.
    pub fn initialize(&mut self) -> Result<()> {
        self.send(r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"bench","version":"1"}}}"#)?;
        self.wait_for(br#""result""#, |_| ())?;
        Ok(self.send(r#"{"method":"initialized"}"#)?)
    }

    /// Starts a thread and gives its id.
    pub fn start_thread(&mut self) -> Result<String> {
        self.send(r#"{"id":1,"method":"thread/start","params":{}}"#)?;
        let answer: serde_json::Value = self.wait_for(br#""result""#, |text| serde_json::from_slice(text))??;
        let id = answer["result"]["thread"]["id"].as_str().ok_or("thread/start answered without an id")?;
        Ok(id.to_owned())
    }
}
