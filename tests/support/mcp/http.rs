//! A server over HTTP, on loopback.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::super::backend::http::{Answer, Request};
use super::Talk;

/// A server that answers calls with event streams, and everything else with JSON. It serves until the test ends.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    /// The token that it wants.
    token: Option<String>,
    requests: Mutex<Vec<Request>>,
}

impl HttpServer {
    /// One that wants this token, or none.
    pub fn start(token: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared { token: token.map(str::to_owned), requests: Mutex::default() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// What `config.toml` says of it. More lines may follow, which then belong to its table.
    pub fn config(&self, name: &str) -> String {
        format!("[mcp_servers.{name}]\nurl = \"http://{}/mcp\"\n", self.address)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("nobody panicked").clone()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let Some(request) = Request::read(&mut reader) else { return };
        self.requests.lock().expect("nobody panicked").push(request.clone());
        if self.token.is_some() && request.bearer() != self.token.as_deref() {
            return Answer::status(401).header("www-authenticate", "Bearer").write(&mut stream);
        }
        if request.method != "POST" {
            return Answer::status(405).write(&mut stream);
        }
        let message = request.json();
        let answers = Talk::new("").hear(&message);
        match answers.as_slice() {
            [] => Answer::status(202).write(&mut stream),
            [one] if message["method"] != "tools/call" => {
                Answer::ok(one).header("mcp-session-id", "s1").write(&mut stream);
            }
            events => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                let _ = stream.write_all(head.as_bytes());
                for event in events {
                    let _ = stream.write_all(chunk(event).as_bytes());
                }
                let _ = stream.write_all(b"0\r\n\r\n");
            }
        }
    }
}

fn chunk(event: &Value) -> String {
    let text = format!("event: message\ndata: {event}\n\n");
    format!("{:x}\r\n{text}\r\n", text.len())
}
