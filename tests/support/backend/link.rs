//! The host's WebSocket, and the envelopes between it and the controllers, kept for sending again.
//!
//! Every envelope of a controller gets a cursor, the number of those before it. A host that comes back says the last
//! one that it has processed; the others are sent again. A host that says none gets everything again.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::envelope::Envelope;
use super::stream::Stream;

/// How it stands with the host.
pub struct Connected {
    /// A host is there.
    pub now: bool,
    /// How often one came.
    pub times: usize,
}

/// The one place through which everything goes.
pub struct Link {
    state: Mutex<State>,
    complaints: Arc<Mutex<Vec<String>>>,
}

#[derive(Default)]
struct State {
    host: Option<Host>,
    times: usize,
    /// Envelopes of the controllers; the cursor of the first is `c1`.
    sent: Vec<String>,
    streams: Vec<Arc<Stream>>,
}

/// A connected host. Written to by a thread of its own, so that nobody waits for one that does not read.
struct Host {
    number: usize,
    outgoing: Sender<Outgoing>,
    socket: Arc<TcpStream>,
    muted: Arc<AtomicBool>,
}

enum Outgoing {
    Text(String),
    Bytes(Vec<u8>),
    Close,
}

impl Link {
    /// Without a host and without controllers.
    pub fn new(complaints: Arc<Mutex<Vec<String>>>) -> Self {
        Self { state: Mutex::default(), complaints }
    }

    /// Serves a host that has just been upgraded, until its connection ends. It takes the place of the one before it.
    pub fn serve(&self, socket: TcpStream, cursor: Option<&str>) {
        let muted = Arc::<AtomicBool>::default();
        let socket = Arc::new(socket);
        let half = Half { socket: Arc::clone(&socket), writing: Arc::default(), muted: Arc::clone(&muted) };
        let writing = half.clone();
        let (outgoing, texts) = mpsc::channel();
        thread::spawn(move || write(writing, &texts));
        let number = self.welcome(cursor, Host { number: 0, outgoing, socket, muted });
        self.read(half);
        let mut state = self.state();
        if state.host.as_ref().is_some_and(|host| host.number == number) {
            state.host = None;
        }
    }

    fn welcome(&self, cursor: Option<&str>, mut host: Host) -> usize {
        let mut state = self.state();
        let processed: usize = cursor.map_or(0, |cursor| {
            let at = cursor.strip_prefix('c').and_then(|at| at.parse().ok());
            at.unwrap_or_else(|| {
                self.complain(format!("no cursor of ours: {cursor}"));
                0
            })
        });
        let first = processed.min(state.sent.len());
        for text in &state.sent[first..] {
            host.send(Outgoing::Text(text.clone()));
        }
        state.times += 1;
        host.number = state.times;
        if let Some(before) = state.host.replace(host) {
            before.cut();
        }
        state.times
    }

    fn read(&self, half: Half) {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let mut socket = WebSocket::from_raw_socket(half, Role::Server, Some(config));
        loop {
            match socket.read() {
                Ok(Message::Text(text)) => {
                    if let Err(complaint) = self.deliver(text.as_str()) {
                        self.complain(format!("{complaint} in {text:.300}"));
                    }
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {}
                Ok(Message::Close(_)) | Err(_) => return,
                Ok(other) => self.complain(format!("a host sends text frames only, not {other:?}")),
            }
        }
    }

    fn deliver(&self, text: &str) -> Result<(), String> {
        let envelope: Envelope = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let (client_id, stream_id) = (&envelope.client_id, envelope.stream_id.as_ref().ok_or("no stream_id")?);
        let stream = {
            let state = self.state();
            let of_client = |stream: &&Arc<Stream>| stream.sender.client_id == *client_id;
            // The newest first: a controller may come back under the same ids.
            let mut streams = state.streams.iter().rev().filter(of_client);
            let exact = streams.clone().find(|stream| stream.sender.stream_id.as_ref() == Some(stream_id));
            exact.or_else(|| streams.find(|stream| stream.sender.stream_id.is_none())).cloned()
        };
        let stream = stream.ok_or("nobody here has these ids")?;
        for ack in stream.take(&envelope, text.len()) {
            self.send_once(&ack);
        }
        Ok(())
    }

    /// Takes in a controller.
    pub fn join(&self, stream: Arc<Stream>) {
        self.state().streams.push(stream);
    }

    /// Sends an envelope, and again to a host that has not processed it.
    pub fn send(&self, mut envelope: Envelope) {
        let mut state = self.state();
        envelope.cursor = Some(format!("c{}", state.sent.len() + 1));
        let text = envelope.text();
        state.send(Outgoing::Text(text.clone()));
        state.sent.push(text);
    }

    /// Sends an envelope to the host that is there, if one is.
    pub fn send_once(&self, envelope: &Envelope) {
        self.state().send(Outgoing::Text(envelope.text()));
    }

    /// Sends one text frame.
    pub fn send_text(&self, text: &str) {
        self.state().send(Outgoing::Text(text.to_owned()));
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&self, bytes: &[u8]) {
        self.state().send(Outgoing::Bytes(bytes.to_owned()));
    }

    /// Closes the connection.
    pub fn close(&self) {
        self.state().send(Outgoing::Close);
    }

    /// Ends the connection without a word.
    pub fn cut(&self) {
        if let Some(host) = self.state().host.take() {
            host.cut();
        }
    }

    /// Swallows everything that is sent to this host from now on.
    pub fn mute(&self) {
        if let Some(host) = &self.state().host {
            host.muted.store(true, Ordering::SeqCst);
        }
    }

    /// How it stands.
    pub fn connected(&self) -> Connected {
        let state = self.state();
        Connected { now: state.host.is_some(), times: state.times }
    }

    fn complain(&self, complaint: String) {
        self.complaints.lock().expect("nobody panicked").push(complaint);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("nobody panicked")
    }
}

impl State {
    fn send(&self, outgoing: Outgoing) {
        if let Some(host) = &self.host {
            host.send(outgoing);
        }
    }
}

impl Host {
    /// A host that is gone gets it when it comes back.
    fn send(&self, outgoing: Outgoing) {
        let _ = self.outgoing.send(outgoing);
    }

    fn cut(&self) {
        // It may have gone by itself.
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

fn write(half: Half, texts: &Receiver<Outgoing>) {
    let mut raw = half.clone();
    let mut socket = WebSocket::from_raw_socket(half, Role::Server, None);
    for outgoing in texts {
        let sent = match outgoing {
            Outgoing::Text(text) => socket.send(Message::text(text)).is_ok(),
            Outgoing::Bytes(bytes) => raw.write_all(&bytes).is_ok(),
            Outgoing::Close => socket.close(None).and_then(|()| socket.flush()).is_ok(),
        };
        if !sent {
            return;
        }
    }
}

/// One direction of a socket that two WebSockets share: one only reads and answers pings, the other one only writes.
/// Each write is whole frames, so they can take turns.
#[derive(Clone)]
struct Half {
    socket: Arc<TcpStream>,
    writing: Arc<Mutex<()>>,
    muted: Arc<AtomicBool>,
}

impl Read for Half {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.socket).read(buffer)
    }
}

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.muted.load(Ordering::SeqCst) {
            let _turn = self.writing.lock().expect("nobody panicked");
            (&*self.socket).write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
