//! A model on loopback that says what a test wants, over both wires, and fails in every way in which models fail.
//!
//! ```ignore
//! let model = Model::start();
//! model.script([Reply::call("exec_command", json!({"cmd": "ls"})), Reply::text("That is all.")]);
//! let home = model.home(Wire::Chat);
//! // … a turn …
//! assert_eq!(model.requests()[1].outputs(), ["a.txt"]);
//! ```
//!
//! Each request gets the next reply of the script, on whichever wire it comes; a request without a reply gets an answer
//! that says so, and fails the test at its end.

#![allow(dead_code, reason = "not every part of it is used by each binary that includes it")]

mod gate;
mod reply;
mod request;
mod wire;

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use serde_json::{Value, json};

use super::backend::http::{Answer, Request};
use super::home::Home;
use super::{PATIENCE, eventually};

pub use gate::Gate;
pub use reply::{End, Reply};
pub use request::ModelRequest;
pub use wire::Wire;

use reply::{Head, Step};

/// A running model; it ends when it is dropped.
pub struct Model {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Default)]
struct Shared {
    script: Mutex<VecDeque<Reply>>,
    /// The reply to every request for which the script has none.
    always: Mutex<Option<Reply>>,
    requests: Mutex<Vec<ModelRequest>>,
    unexpected: Mutex<Vec<String>>,
    models: Mutex<Vec<Value>>,
    /// When each question was there, and when its reply was written.
    moments: Mutex<Vec<(Instant, Instant)>>,
    sockets: Mutex<Vec<TcpStream>>,
    /// Replies that the other side did not wait for.
    abandoned: AtomicUsize,
    ended: AtomicBool,
}

impl Model {
    /// On a port of the system's choice.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        shared.models.lock().expect("nobody panicked").push(json!({"id": "loopback", "object": "model"}));
        let serving = Arc::clone(&shared);
        thread::spawn(move || serving.accept(&listener));
        Self { shared, address }
    }

    /// Where nothing listens.
    pub fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        format!("http://{}/v1", listener.local_addr().expect("it is bound"))
    }

    /// What `base_url` says.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What `config.toml` says so that every thread uses this model: at the top, and in its table. More lines may follow,
    /// which then belong to the table.
    pub fn config(&self, wire: Wire) -> String {
        let word = wire.word();
        format!(
            "model = \"loopback\"\nmodel_provider = \"loopback\"\n[model_providers.loopback]\nname = \"Loopback\"\n\
             base_url = \"{}\"\nwire_api = \"{word}\"\n",
            self.base_url()
        )
    }

    /// A home whose threads use this model.
    pub fn home(&self, wire: Wire) -> Home {
        Home::with_config(&self.config(wire))
    }

    /// Adds replies to the script.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) -> &Self {
        self.shared.script.lock().expect("nobody panicked").extend(replies);
        self
    }

    /// The reply to every request for which the script has none.
    pub fn always(&self, reply: Reply) -> &Self {
        *self.shared.always.lock().expect("nobody panicked") = Some(reply);
        self
    }

    /// What `GET /models` lists.
    pub fn list(&self, models: impl IntoIterator<Item = Value>) -> &Self {
        *self.shared.models.lock().expect("nobody panicked") = models.into_iter().collect();
        self
    }

    /// Every question so far.
    pub fn requests(&self) -> Vec<ModelRequest> {
        self.shared.requests.lock().expect("nobody panicked").clone()
    }

    /// From the last byte of each reply to the next question. For tests that ask one after the other.
    pub fn pauses(&self) -> Vec<Duration> {
        let moments = self.shared.moments.lock().expect("nobody panicked");
        moments.windows(2).map(|pair| pair[1].0.saturating_duration_since(pair[0].1)).collect()
    }

    /// Waits until there were `count` questions: all of them.
    pub fn wait_for_requests(&self, count: usize) -> Vec<ModelRequest> {
        eventually(&format!("{count} questions to the model"), || self.requests().len() >= count);
        self.requests()
    }

    /// Waits until the other side has closed `count` connections before their replies were complete.
    pub fn wait_for_abandoned(&self, count: usize) {
        eventually(&format!("{count} abandoned replies"), || self.shared.abandoned.load(Ordering::SeqCst) >= count);
    }

    /// Replies of the script that nobody has asked for.
    pub fn unused(&self) -> usize {
        self.shared.script.lock().expect("nobody panicked").len()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the listener up.
        drop(TcpStream::connect(self.address));
        for socket in self.shared.sockets.lock().expect("nobody panicked").iter() {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        if !thread::panicking() {
            let unexpected = self.shared.unexpected.lock().expect("nobody panicked");
            assert!(unexpected.is_empty(), "the script has no reply to {unexpected:#?}");
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().map_while(Result::ok) {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            self.sockets.lock().expect("nobody panicked").push(stream.try_clone().expect("a socket can be duplicated"));
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.serve(stream));
        }
    }

    /// One connection, question after question.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).expect("a TCP socket takes the option");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket can be duplicated"));
        while let Some(request) = Request::read(&mut reader) {
            let goes_on = match Wire::of(&request) {
                Some(wire) => self.reply(wire, request, &mut stream),
                None => self.list_models(&request, &mut stream),
            };
            if !goes_on {
                let _ = stream.shutdown(Shutdown::Both);
                return;
            }
        }
    }

    fn list_models(&self, request: &Request, stream: &mut TcpStream) -> bool {
        let models = self.models.lock().expect("nobody panicked");
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/v1/models") => Answer::ok(&json!({"object": "list", "data": *models})).write(stream),
            _ => Answer::status(404).write(stream),
        }
        true
    }

    fn next_reply(&self, request: &Request) -> Reply {
        let next = self.script.lock().expect("nobody panicked").pop_front();
        next.or_else(|| self.always.lock().expect("nobody panicked").clone()).unwrap_or_else(|| {
            self.unexpected.lock().expect("nobody panicked").push(request.body.clone());
            Reply::status(418).body("the script of the test has no reply to this")
        })
    }

    /// Replies to one question; true when the connection goes on.
    fn reply(&self, wire: Wire, request: Request, stream: &mut TcpStream) -> bool {
        let reply = self.next_reply(&request);
        let asked = Instant::now();
        self.requests.lock().expect("nobody panicked").push(ModelRequest::new(wire, request));
        let done = self.write(wire, &reply, stream);
        self.moments.lock().expect("nobody panicked").push((asked, Instant::now()));
        match (done, &reply.end) {
            (Err(_), _) => {
                self.abandoned.fetch_add(1, Ordering::SeqCst);
                false
            }
            (Ok(()), End::Reset) => {
                set_socket_linger(&*stream, Some(Duration::ZERO)).expect("a TCP socket takes the option");
                false
            }
            (Ok(()), End::Hang) => {
                if wait_for_end(stream) {
                    self.abandoned.fetch_add(1, Ordering::SeqCst);
                }
                false
            }
            (Ok(()), End::Cut) => false,
            (Ok(()), _) => true,
        }
    }

    fn write(&self, wire: Wire, reply: &Reply, stream: &mut TcpStream) -> std::io::Result<()> {
        match &reply.head {
            Head::None => return Ok(()),
            Head::Raw(bytes) => return stream.write_all(bytes),
            Head::Answer(answer) => return stream.write_all(answer.to_text().as_bytes()),
            Head::Stream => stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
            )?,
        }
        for step in wire.steps(reply) {
            match step {
                Step::Event(text) => {
                    if !reply.pace.is_zero() {
                        thread::sleep(reply.pace);
                    }
                    // A peer that has gone is noticed before the next write, not after it.
                    is_open(stream)?;
                    stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())?;
                }
                Step::Pause(gate) => gate.pass(|| is_open(stream))?,
            }
        }
        match reply.end {
            End::Cut | End::Reset | End::Hang => Ok(()),
            _ => stream.write_all(b"0\r\n\r\n"),
        }
    }
}

/// An error when the other side has closed the connection.
fn is_open(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nonblocking(true)?;
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match peeked {
        Ok(0) => Err(std::io::ErrorKind::BrokenPipe.into()),
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}

/// Waits until the other side closes the connection; false when it does not for longer than any test may take.
fn wait_for_end(stream: &TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket takes the option");
    stream.peek(&mut [0]).is_ok_and(|read| read == 0)
}
