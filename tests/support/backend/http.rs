//! Requests to the backend, and its answers.

use std::io::{BufRead, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

/// The answer after which the connection is a WebSocket.
pub const SWITCHING_PROTOCOLS: u16 = 101;

/// What the host asked for.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What stands behind the question mark; empty without one.
    pub query: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// Reads one; `None` at the end of the connection.
    pub fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let [method, target, _version] = lines.first()?.splitn(3, ' ').collect::<Vec<_>>().try_into().ok()?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let header =
            |line: &String| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        let mut request = Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: lines[1..].iter().filter_map(header).collect(),
            body: String::new(),
        };
        let length = request.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).expect("the body is text");
        Some(request)
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The token in the `authorization` header.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// One pair of the query, as it stands there.
    pub fn queried(&self, name: &str) -> Option<&str> {
        self.query.split('&').filter_map(|pair| pair.split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
    }
}

/// What the backend answers.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// Without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// 200 with a JSON body.
    pub fn ok(body: &Value) -> Self {
        Self::status(200).json(body)
    }

    /// 404 in the exact words that mean: this server is not enrolled any more.
    pub fn unknown_server() -> Self {
        Self::status(404).json(&json!({"detail": "Remote app server not found"}))
    }

    /// With one more header.
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// With this body.
    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string()).header("content-type", "application/json")
    }

    /// With this body.
    pub fn text(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Whether the peer still reads is its own affair.
    pub fn write(&self, stream: &mut TcpStream) {
        let _ = stream.write_all(self.to_text().as_bytes());
    }

    /// All of it as HTTP says it.
    pub fn to_text(&self) -> String {
        let lines: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = match self.status {
            SWITCHING_PROTOCOLS => String::new(),
            _ => format!("content-length: {}\r\n", self.body.len()),
        };
        format!("HTTP/1.1 {} {}\r\n{length}{lines}\r\n{}", self.status, reason(self.status), self.body)
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unnamed",
    }
}
