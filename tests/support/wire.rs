//! The three wires on which a client's text messages travel.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use tungstenite::handshake::client::Request;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket, client::IntoClientRequest};

use super::PATIENCE;
use super::process::Process;

/// What came in.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// One JSON-RPC message.
    Message(String),
    /// The server ended the connection, with this WebSocket close code if it gave one.
    Closed(Option<u16>),
    /// Nothing, in the time that was given.
    Nothing,
}

/// A connection that carries whole messages.
pub trait Wire: Send {
    /// Sends one message. A connection that the server has closed swallows it; the next receive tells.
    fn send(&mut self, message: &str);

    /// Waits for the next message until `deadline`.
    fn receive(&mut self, deadline: Instant) -> Received;

    /// Ends the client's side.
    fn close(&mut self);
}

/// Newline-delimited JSON over the pipes of a child process.
pub struct Stdio {
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Stdio {
    /// Reads on a thread of its own, because a pipe has no read timeout.
    pub fn new(stdin: ChildStdin, stdout: ChildStdout) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            for line in lines {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { stdin: Some(stdin), lines }
    }
}

impl Wire for Stdio {
    fn send(&mut self, message: &str) {
        if let Some(stdin) = &mut self.stdin {
            let sent = stdin.write_all(message.as_bytes()).and_then(|()| stdin.write_all(b"\n"));
            assert!(sent.is_ok() || matches!(&sent, Err(e) if e.kind() == ErrorKind::BrokenPipe), "{sent:?}");
        }
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => Received::Message(line),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed(None),
        }
    }

    fn close(&mut self) {
        self.stdin = None;
    }
}

/// A wire that goes through a process, which ends with it.
pub struct Through<W> {
    wire: W,
    _process: Process,
}

impl<W: Wire> Through<W> {
    /// `process` carries what `wire` sends and receives.
    pub fn new(process: Process, wire: W) -> Self {
        Self { wire, _process: process }
    }
}

impl<W: Wire> Wire for Through<W> {
    fn send(&mut self, message: &str) {
        self.wire.send(message);
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        self.wire.receive(deadline)
    }

    fn close(&mut self) {
        self.wire.close();
    }
}

/// A socket whose reads and writes can be given time limits.
pub trait Socket: Read + Write + Send {
    /// Reads fail with `WouldBlock` or `TimedOut` after this time.
    fn limit_reads(&self, limit: Duration);

    /// Writes to a peer that does not read fail so after this time.
    fn limit_writes(&self, limit: Duration);
}

impl Socket for UnixStream {
    fn limit_reads(&self, limit: Duration) {
        self.set_read_timeout(Some(limit)).expect("a socket takes a read timeout");
    }

    fn limit_writes(&self, limit: Duration) {
        self.set_write_timeout(Some(limit)).expect("a socket takes a write timeout");
    }
}

impl Socket for TcpStream {
    fn limit_reads(&self, limit: Duration) {
        self.set_read_timeout(Some(limit)).expect("a socket takes a read timeout");
    }

    fn limit_writes(&self, limit: Duration) {
        self.set_write_timeout(Some(limit)).expect("a socket takes a write timeout");
    }
}

/// The same socket, on which nothing waits for longer than [`PATIENCE`].
pub fn patient<S: Socket>(socket: S) -> S {
    socket.limit_reads(PATIENCE);
    socket.limit_writes(PATIENCE);
    socket
}

/// A socket on which a signal interrupts nothing. With a time limit the system does not go on by itself, and a server
/// in the test's own process hears of every child that ends.
struct Uninterrupted<S>(S);

impl<S: Read> Read for Uninterrupted<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}

impl<S: Write> Write for Uninterrupted<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// WebSocket text messages over a socket.
pub struct Ws<S: Socket>(WebSocket<Uninterrupted<S>>);

impl<S: Socket> Ws<S> {
    /// Upgrades `stream` as the official client does on a Unix socket.
    pub fn upgrade(stream: S) -> Self {
        Self::upgrade_with(stream, &[])
    }

    /// The same with more headers.
    pub fn upgrade_with(stream: S, headers: &[(&'static str, &str)]) -> Self {
        Self::upgrade_at(stream, "/rpc", headers)
    }

    /// The same at another path.
    pub fn upgrade_at(stream: S, path: &str, headers: &[(&'static str, &str)]) -> Self {
        let mut request: Request = format!("ws://localhost{path}").into_client_request().expect("a valid request");
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header value"));
        }
        let stream = Uninterrupted(patient(stream));
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = tungstenite::client::client_with_config(request, stream, Some(config))
            .unwrap_or_else(|e| panic!("the server does not upgrade: {e}"));
        Self(socket)
    }
}

impl<S: Socket> Wire for Ws<S> {
    fn send(&mut self, message: &str) {
        // Whether the server has gone away is found out by receiving.
        let _ = self.0.send(Message::text(message));
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Received::Nothing;
            }
            self.0.get_ref().0.limit_reads(left);
            match self.0.read() {
                Ok(Message::Text(text)) => return Received::Message(text.as_str().to_owned()),
                Ok(Message::Close(frame)) => {
                    // Lets the handshake finish; whatever comes after the close frame means nothing.
                    let _ = self.0.flush();
                    return Received::Closed(frame.map(|frame| CloseCode::into(frame.code)));
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(other) => panic!("the server sends text frames only, not {other:?}"),
                Err(tungstenite::Error::Io(e))
                    if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(_) => return Received::Closed(None),
            }
        }
    }

    fn close(&mut self) {
        // The server may have closed first.
        let _ = self.0.close(None);
        let _ = self.0.flush();
    }
}
