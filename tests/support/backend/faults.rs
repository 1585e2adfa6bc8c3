//! Faults of an endpoint.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::thread;

use serde_json::json;

use super::http::{Answer, Request};
use super::{BASE, FOREVER};

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Enroll,
    Refresh,
    Pair,
    PairStatus,
    Clients,
    Revoke,
    /// The host's WebSocket.
    Socket,
    /// The OAuth token endpoint.
    Token,
}

impl Endpoint {
    /// `None` for what has nothing to do with remote control.
    pub fn of(request: &Request) -> Option<Self> {
        if request.path == "/oauth/token" {
            return Some(Self::Token);
        }
        let rest = request.path.strip_prefix(BASE)?.strip_prefix("wham/remote/control/")?;
        match (request.method.as_str(), rest) {
            ("POST", "server/enroll") => Some(Self::Enroll),
            ("POST", "server/refresh") => Some(Self::Refresh),
            ("POST", "server/pair") => Some(Self::Pair),
            ("POST", "server/pair/status") => Some(Self::PairStatus),
            ("GET", "server") => Some(Self::Socket),
            ("GET", _) if rest.ends_with("/clients") => Some(Self::Clients),
            ("DELETE", _) if rest.contains("/clients/") => Some(Self::Revoke),
            _ => None,
        }
    }
}

/// What happens instead of the right answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Another answer.
    Answer(Answer),
    /// None, and the connection stays open.
    Hang,
    /// Bytes that are not HTTP.
    Garbage,
    /// Half of an answer, then the end.
    Half,
    /// The end.
    Close,
}

impl Fault {
    /// This status without a body.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::status(status))
    }

    /// "Come back in so many seconds."
    pub fn retry_after(status: u16, seconds: u64) -> Self {
        Self::Answer(Answer::status(status).header("retry-after", seconds))
    }

    /// Does it; true when the connection goes on.
    pub fn happen(self, stream: &mut TcpStream) -> bool {
        let bytes = match self {
            Self::Answer(answer) => {
                answer.write(stream);
                return true;
            }
            Self::Hang => {
                thread::sleep(FOREVER);
                return false;
            }
            Self::Garbage => "\u{1}\u{2} this is not HTTP\r\n\r\n".to_owned(),
            Self::Half => {
                let whole = Answer::ok(&json!({"server_id": "srv_half_of_an_answer"})).to_text();
                whole[..whole.len() - 10].to_owned()
            }
            Self::Close => String::new(),
        };
        // The peer may be gone.
        let _ = stream.write_all(bytes.as_bytes());
        let _ = stream.shutdown(Shutdown::Both);
        false
    }
}

/// Which faults are to come.
#[derive(Default)]
pub struct Faults {
    next: HashMap<Endpoint, VecDeque<Fault>>,
    standing: HashMap<Endpoint, Fault>,
}

impl Faults {
    /// For one request.
    pub fn push(&mut self, endpoint: Endpoint, fault: Fault) {
        self.next.entry(endpoint).or_default().push_back(fault);
    }

    /// For all requests.
    pub fn stay(&mut self, endpoint: Endpoint, fault: Fault) {
        self.standing.insert(endpoint, fault);
    }

    /// What the request that has just come to `endpoint` meets.
    pub fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let once = self.next.get_mut(&endpoint).and_then(VecDeque::pop_front);
        once.or_else(|| self.standing.get(&endpoint).cloned())
    }
}
