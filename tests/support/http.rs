//! HTTP/1.1 by hand, so that a request can be as wrong as a promise wants it.

use std::io::ErrorKind;

use super::wire::Socket;

/// Headers of a proper WebSocket upgrade.
pub const UPGRADE: &[(&str, &str)] = &[
    ("Host", "localhost"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

/// The text of a request without a body.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> String {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\n{lines}\r\n")
}

/// [`UPGRADE`] with one header replaced, or left out where the value is `None`.
pub fn upgrade_but<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let others = UPGRADE.iter().copied().filter(|(n, _)| *n != name);
    others.chain(value.map(|value| (name, value))).collect()
}

/// Sends `text` and reads the answer; `None` when the server closes without a word.
pub fn exchange(stream: &mut impl Socket, text: &str) -> Option<Response> {
    stream.write_all(text.as_bytes()).expect("the request is sent");
    read_response(stream, text.starts_with("HEAD"))
}

/// Reads one answer; that to HEAD has no body whatever its length says.
pub fn read_response(stream: &mut impl Socket, to_head: bool) -> Option<Response> {
    let head = read_head(stream)?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let mut response = Response { status, headers, body: String::new() };
    let length = response.header("content-length").map_or(0, |n| n.parse().expect("a length"));
    if !to_head {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).expect("the body is as long as announced");
        response.body = String::from_utf8(body).expect("the body is text");
    }
    Some(response)
}

/// Byte by byte, so that nothing of what follows the head is swallowed.
fn read_head(stream: &mut impl Socket) -> Option<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => head.push(byte[0]),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return None,
            Err(e) => panic!("no answer: {e}; so far {:?}", String::from_utf8_lossy(&head)),
        }
    }
    Some(String::from_utf8(head).expect("the head is text"))
}
