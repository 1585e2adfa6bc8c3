//! The exchanges with a server, on the arbiter of its connections. Answers are handed over piece by piece.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use awc::http::header::{HeaderName as AwcName, HeaderValue as AwcValue};
use awc::http::{Method, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::ServerJsonRpcMessage;
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::place::Place;
use crate::mcp::incoming::{MESSAGE_BYTES, message};
use crate::network::{Dialer, Network, Request, Response};

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Connections to one server at a time: a call needs one, and what the server says by itself another.
const CONNECTIONS: usize = 32;

/// Pieces of an answer that wait to be read.
const PIECES: usize = 4;

/// Why there is no answer. The text holds nothing of the answer, which may repeat a token.
#[derive(Debug, thiserror::Error)]
pub(in crate::mcp) enum Unreachable {
    #[error("{0}")]
    Exchange(String),
    #[error("it answered with HTTP {0}")]
    Status(StatusCode),
    #[error("the answer is unusable: {0}")]
    Answer(String),
}

/// One exchange, for the task.
pub(super) struct Exchange {
    pub(super) method: Method,
    /// Headers besides those of the place.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) further: HashMap<HeaderName, HeaderValue>,
    pub(super) body: Vec<u8>,
    pub(super) answer: oneshot::Sender<Result<Answer, Unreachable>>,
}

/// The head of an answer, and its pieces as they come.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) is_json: bool,
    pub(super) is_events: bool,
    pub(super) session: Option<String>,
    pub(super) challenge: Option<String>,
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// The connection is closed when this is dropped.
    unwanted: DropGuard,
}

/// Makes the exchanges that are asked for, beside each other, until nobody can ask any more.
pub(super) async fn serve(network: Network, place: Place, mut received: mpsc::Receiver<Exchange>) {
    let (dialer, place) = (network.dialer(CONNECT_TIME, CONNECTIONS), Rc::new(place));
    while let Some(exchange) = received.recv().await {
        actix_rt::spawn(carry_out(dialer.clone(), place.clone(), exchange));
    }
}

async fn carry_out(dialer: Dialer, place: Rc<Place>, exchange: Exchange) {
    let Exchange { method, headers, further, body, mut answer } = exchange;
    let mut all = place.headers.clone();
    let further = further.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    for (name, value) in headers.iter().map(|(name, value)| (*name, value.as_bytes())).chain(further) {
        if let (Ok(name), Ok(value)) = (AwcName::try_from(name), AwcValue::from_bytes(value)) {
            all.insert(name, value);
        }
    }
    let request = Request { method, uri: place.url.clone(), headers: all, body: body.into() };
    let response = tokio::select! {
        response = dialer.exchange(request) => response,
        () = answer.closed() => return,
    };
    let response = match response {
        Ok(response) => response,
        Err(error) => return drop(answer.send(Err(Unreachable::Exchange(error.to_string())))),
    };
    let (pieces, received) = mpsc::channel(PIECES);
    let unwanted = CancellationToken::new();
    let is = |kind: &str| {
        let said = response.header("content-type").unwrap_or_default();
        said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
    };
    let head = Answer {
        status: response.status,
        is_json: is("application/json"),
        is_events: is("text/event-stream"),
        session: response.header("mcp-session-id").map(str::to_owned),
        challenge: response.header("www-authenticate").map(str::to_owned),
        pieces: received,
        unwanted: unwanted.clone().drop_guard(),
    };
    if answer.send(Ok(head)).is_ok() {
        tokio::select! {
            () = hand_over(response, pieces) => {}
            () = unwanted.cancelled() => {}
        }
    }
}

async fn hand_over(mut response: Response, pieces: mpsc::Sender<io::Result<Bytes>>) {
    while let Some(piece) = response.chunk().await.transpose() {
        let is_end = piece.is_err();
        if pieces.send(piece).await.is_err() || is_end {
            return;
        }
    }
}

impl Answer {
    /// The whole body.
    async fn body(mut self) -> Result<Vec<u8>, Unreachable> {
        let mut body = Vec::new();
        while let Some(piece) = self.pieces.recv().await {
            let piece = piece.map_err(|error| Unreachable::Answer(error.to_string()))?;
            if body.len() + piece.len() > MESSAGE_BYTES {
                return Err(Unreachable::Answer(format!("it has more than {MESSAGE_BYTES} bytes")));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The body as a message.
    pub(super) async fn message(self) -> Result<ServerJsonRpcMessage, Unreachable> {
        let body = self.body().await?;
        message(&String::from_utf8_lossy(&body)).map_err(Unreachable::Answer)
    }

    /// The events of a stream, each of which is bounded.
    pub(super) fn events(self) -> BoxStream<'static, Result<Sse, SseError>> {
        let Self { pieces, unwanted, .. } = self;
        let bounded = futures_util::stream::unfold(
            (pieces, EventBytes::default(), unwanted),
            |(mut pieces, mut bytes, unwanted)| async move {
                let piece = pieces.recv().await?;
                let piece = piece.and_then(|piece| bytes.count(&piece).map(|()| piece));
                Some((piece, (pieces, bytes, unwanted)))
            },
        );
        SseStream::from_bytes_stream(bounded.boxed()).boxed()
    }
}

/// Counts the bytes of an event: those since the last blank line.
#[derive(Default)]
struct EventBytes {
    bytes: usize,
    ends_line: bool,
}

impl EventBytes {
    fn count(&mut self, piece: &[u8]) -> io::Result<()> {
        for byte in piece {
            match byte {
                b'\n' if self.ends_line => self.bytes = 0,
                b'\n' => self.ends_line = true,
                b'\r' => {}
                _ => self.ends_line = false,
            }
            self.bytes += 1;
        }
        if self.bytes > MESSAGE_BYTES {
            return Err(io::Error::other(format!("an event has more than {MESSAGE_BYTES} bytes")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bytes_of_one_event_count() {
        let mut bytes = EventBytes::default();
        let event = [&vec![b'x'; MESSAGE_BYTES / 2][..], b"\r\n", b"\r\n"].concat();
        for _ in 0..4 {
            assert!(bytes.count(&event).is_ok());
        }
        assert!(bytes.count(&vec![b'x'; MESSAGE_BYTES / 2]).is_ok());
        assert!(bytes.count(&vec![b'x'; MESSAGE_BYTES]).is_err());
    }
}
