//! The backend of remote control, as little of it as a round trip needs, in the thread that measures.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::Role;
use tungstenite::{Message, WebSocket};

use crate::Result;

/// A backend that no host has found yet.
pub struct Backend {
    listener: TcpListener,
}

impl Backend {
    /// How long a host may take to come.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// On any port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener })
    }

    /// Makes `home` that of a signed-in user of this backend.
    pub fn furnish(&self, home: &Path) -> Result<()> {
        let base = format!("http://{}/backend-api/", self.listener.local_addr()?);
        fs::write(home.join("config.toml"), format!("chatgpt_base_url = \"{base}\"\n"))?;
        let claims = json!({"exp": 4_000_000_000_u32, "https://api.openai.com/auth": {"chatgpt_account_id": "a"}});
        let token = format!("e30.{}.e30", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tokens = json!({"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "a"});
        let auth = json!({"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2026-01-01T00:00:00Z"});
        Ok(fs::write(home.join("auth.json"), auth.to_string())?)
    }

    /// Waits for the host, lets it enroll and connect, and opens a stream.
    pub fn controller(&self) -> Result<Controller> {
        let socket = loop {
            let mut stream = self.accept()?;
            let mut reader = BufReader::new(stream.try_clone()?);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head)? == 0 {
                    return Err("the host closed the connection".into());
                }
            }
            if let Some(key) = header(&head, "sec-websocket-key") {
                let accept = derive_accept_key(key.as_bytes());
                write!(
                    stream,
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                     sec-websocket-accept: {accept}\r\n\r\n"
                )?;
                break WebSocket::from_raw_socket(stream, Role::Server, None);
            }
            let length = header(&head, "content-length").map_or(Ok(0), str::parse)?;
            reader.read_exact(&mut vec![0; length])?;
            let ids = json!({"server_id": "s", "environment_id": "e", "remote_control_token": "t",
                "expires_at": "2090-01-01T00:00:00Z"})
            .to_string();
            write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{ids}", ids.len())?;
        };
        let mut controller = Controller { socket, seq_id: 0 };
        controller.send(r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"bench","version":"1"}}}"#)?;
        controller.answer_to("0")?;
        controller.send(r#"{"method":"initialized"}"#)?;
        Ok(controller)
    }

    fn accept(&self) -> Result<TcpStream> {
        let deadline = Instant::now() + Self::PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(Self::PATIENCE))?;
                    return Ok(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let pairs = head.lines().filter_map(|line| line.split_once(':'));
    pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
}

/// One controller, and the backend between it and the host.
pub struct Controller {
    socket: WebSocket<TcpStream>,
    seq_id: u64,
}

/// What a controller must know of an envelope.
#[derive(Deserialize)]
struct Envelope<'a> {
    seq_id: u64,
    #[serde(borrow)]
    message: Option<Answer<'a>>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

impl Controller {
    /// Sends a message.
    pub fn send(&mut self, message: &str) -> Result<()> {
        self.seq_id += 1;
        let seq_id = self.seq_id;
        let text = format!(
            r#"{{"type":"client_message","client_id":"c","stream_id":"s","seq_id":{seq_id},"cursor":"c{seq_id}","message":{message}}}"#
        );
        Ok(self.socket.send(Message::text(text))?)
    }

    /// Waits for the answer to this id: its number in the stream.
    pub fn answer_to(&mut self, id: &str) -> Result<u64> {
        loop {
            let Message::Text(text) = self.socket.read()? else {
                continue;
            };
            let Envelope { seq_id, message } = serde_json::from_str(text.as_str())?;
            if message.and_then(|answer| answer.id).is_some_and(|answered| answered.get() == id) {
                return Ok(seq_id);
            }
        }
    }

    /// Acknowledges everything up to `seq_id`.
    pub fn acknowledge(&mut self, seq_id: u64) -> Result<()> {
        let ack = format!(r#"{{"type":"ack","client_id":"c","stream_id":"s","seq_id":{seq_id}}}"#);
        Ok(self.socket.send(Message::text(ack))?)
    }
}
