//! The other end of the link, as small as it can be: a backend that does nothing that a test does not say.

use std::time::Duration;

use actix_http::ws::{Codec, Frame, Item, Message, hash_key};
use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::codec::Framed;

/// Everything that is awaited in here is over in milliseconds; a deadlock must not hold the suite up.
pub(super) const SOON: Duration = Duration::from_secs(60);

pub(super) struct Backend {
    listener: TcpListener,
}

/// An established socket.
pub(super) struct Wire {
    /// The head of the request that asked for it.
    pub(super) head: String,
    framed: Framed<TcpStream, Codec>,
}

impl Backend {
    pub(super) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}/wham/remote/control/server", self.listener.local_addr().unwrap())
    }

    /// Lets the next one in.
    pub(super) async fn upgrade(&self) -> Wire {
        let (mut stream, head) = self.request().await;
        let key = header(&head, "sec-websocket-key").unwrap();
        let proof = String::from_utf8(hash_key(key.as_bytes()).to_vec()).unwrap();
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {proof}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Wire { head, framed: Framed::new(stream, Codec::new().max_size(1 << 25)) }
    }

    /// Sends the next one away.
    pub(super) async fn refuse(&self, answer: &str) {
        let (mut stream, _) = self.request().await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    pub(super) async fn request(&self) -> (TcpStream, String) {
        let request = async {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            (stream, String::from_utf8(head).unwrap())
        };
        timeout(SOON, request).await.expect("the link asks for a socket")
    }
}

/// The value of a header.
pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find(|(its, _)| its.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

impl Wire {
    pub(super) async fn send(&mut self, envelope: &Value) {
        self.send_raw(Message::Text(envelope.to_string().into())).await;
    }

    pub(super) async fn send_raw(&mut self, message: Message) {
        timeout(SOON, self.framed.send(message)).await.expect("the link reads").unwrap();
    }

    /// A message of a controller, on the stream `s`.
    pub(super) async fn message(&mut self, client: &str, seq: u64, message: Value) {
        let cursor = format!("{client}-{seq}");
        self.send(&json!({
            "type": "client_message", "client_id": client, "stream_id": "s", "seq_id": seq, "cursor": cursor,
            "message": message,
        }))
        .await;
    }

    pub(super) async fn initialize(&mut self, client: &str) {
        let params = json!({"clientInfo": {"name": "phone", "version": "1"}});
        self.message(client, 1, json!({"id": 0, "method": "initialize", "params": params})).await;
    }

    pub(super) async fn ack(&mut self, envelope: &Value) {
        self.send(&json!({
            "type": "ack", "client_id": envelope["client_id"], "stream_id": envelope["stream_id"],
            "seq_id": envelope["seq_id"],
        }))
        .await;
    }

    /// The next frame; `None` at the end.
    pub(super) async fn frame(&mut self) -> Option<Frame> {
        timeout(SOON, self.framed.next()).await.expect("something comes").and_then(Result::ok)
    }

    /// Returns when the link has dropped the socket, without a close frame.
    pub(super) async fn dropped(&mut self) {
        let end = async {
            while let Some(frame) = self.frame().await {
                assert!(matches!(frame, Frame::Text(_) | Frame::Ping(_)), "{frame:?}");
            }
        };
        timeout(SOON, end).await.expect("the socket is dropped");
    }

    /// The next envelope.
    pub(super) async fn envelope(&mut self) -> Value {
        self.envelope_or_end().await.expect("the socket stays")
    }

    /// The next envelope; `None` at the end. Pings are answered, and do not put off the time at which one gives up.
    pub(super) async fn envelope_or_end(&mut self) -> Option<Value> {
        let next = async {
            loop {
                match self.frame().await? {
                    Frame::Text(text) => return Some(serde_json::from_slice(&text).unwrap()),
                    Frame::Ping(payload) => self.framed.send(Message::Pong(payload)).await.ok()?,
                    other => panic!("{other:?}"),
                }
            }
        };
        timeout(SOON, next).await.expect("an envelope comes")
    }

    async fn seek(&mut self, acknowledges: bool, wanted: impl Fn(&Value) -> bool) -> Value {
        let sought = async {
            loop {
                let envelope = self.envelope().await;
                if acknowledges {
                    self.ack(&envelope).await;
                }
                if wanted(&envelope) {
                    return envelope;
                }
            }
        };
        timeout(SOON, sought).await.expect("what is awaited comes")
    }

    /// The next envelope that `wanted` recognises; those before it are dropped, and none is acknowledged.
    pub(super) async fn seen(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.seek(false, wanted).await
    }

    /// The next envelope that `wanted` recognises, acknowledged as those before it are.
    pub(super) async fn taken(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        self.seek(true, wanted).await
    }

    /// The next answer, acknowledged; notifications are acknowledged and skipped.
    pub(super) async fn any_answer(&mut self) -> Value {
        self.taken(|envelope| envelope["message"].get("method").is_none()).await
    }

    /// The next answer, acknowledged, which is to be to the request `id`.
    pub(super) async fn answer(&mut self, client: &str, id: u64) -> Value {
        let envelope = self.any_answer().await;
        let asked = (&json!(client), &json!(id));
        assert_eq!((&envelope["client_id"], &envelope["message"]["id"]), asked, "{envelope}");
        envelope["message"].clone()
    }

    /// The first half of a text message.
    pub(super) async fn half(&mut self) {
        self.send_raw(Message::Continuation(Item::FirstText(Bytes::from_static(b"{\"type\"")))).await;
    }
}
