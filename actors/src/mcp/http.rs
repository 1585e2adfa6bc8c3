//! A server that speaks over HTTP ("streamable HTTP"): the SDK decides what is sent, and this sends it over our own
//! connections, with their proxies and certificates.
//!
//! The SDK works on tasks that may move between threads, connections stay on one arbiter. So a small task there makes
//! the exchanges, and hands over the answers piece by piece. The tokens stay with that task: the SDK never has them.

use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use awc::http::header::{HeaderMap, HeaderName as AwcName, HeaderValue as AwcValue};
use awc::http::{Method, StatusCode, Uri};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::config::ServerConfig;
use super::incoming::{MESSAGE_BYTES, message};
use crate::environment::Environment;
use crate::network::{Dialer, Network, Request, Response};
use crate::protocol::Secret;

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Connections to one server at a time: a call needs one, and what the server says by itself another.
const CONNECTIONS: usize = 32;

/// Exchanges that wait for their start.
const WAITING: usize = 16;

/// Pieces of an answer that wait to be read.
const PIECES: usize = 4;

/// Names of headers that belong to the protocol, and are not for the configuration.
const OWN_HEADERS: [&str; 8] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

type Error = StreamableHttpError<Unreachable>;

/// Why there is no answer. The text holds nothing of the answer, which may repeat a token.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreachable {
    #[error("{0}")]
    Exchange(String),
    #[error("it answered with HTTP {0}")]
    Status(StatusCode),
    #[error("the answer is unusable: {0}")]
    Answer(String),
}

/// Where a server is, and what it wants to see of us.
pub(super) struct Place {
    url: Uri,
    headers: HeaderMap,
}

impl Place {
    /// Looks up what the configuration names.
    ///
    /// # Errors
    /// Something is missing or cannot be sent; in words for the user.
    pub(super) fn new(config: &ServerConfig, url: &str, environment: &Environment) -> Result<Self, String> {
        let url: Uri = url.parse().map_err(|_| "its url is invalid".to_owned())?;
        let authority = url.authority().map(|authority| authority.as_str());
        if !matches!(url.scheme_str(), Some("http" | "https")) || authority.is_none() {
            return Err("its url must begin with http:// or https://".to_owned());
        }
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err("its url holds a name or password; use bearer_token_env_var or env_http_headers".to_owned());
        }
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let known = AwcName::try_from(name).map_err(|_| format!("the header {name:?} has an invalid name"))?;
            if OWN_HEADERS.contains(&known.as_str()) {
                return Err(format!("the header {name} is not for the configuration"));
            }
            let value = AwcValue::try_from(value).map_err(|_| format!("the value of the header {name} is invalid"))?;
            headers.insert(known, value);
            Ok(())
        };
        for (name, value) in &config.http_headers {
            add(name, value.expose())?;
        }
        // The reference program leaves out headers whose variables are not set.
        for (name, variable) in &config.env_http_headers {
            if let Some(value) = environment.get(variable) {
                add(name, &value)?;
            }
        }
        if let Some(variable) = &config.bearer_token_env_var {
            let token = environment.get(variable).ok_or_else(|| {
                format!("the environment variable {variable}, which should hold its token, is not set")
            })?;
            add("authorization", &format!("Bearer {token}"))?;
        }
        Ok(Self { url, headers })
    }

    /// What must not be repeated in a text for people or models.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let values = self.headers.iter().filter_map(|(_, value)| value.to_str().ok());
        values.map(|value| value.strip_prefix("Bearer ").unwrap_or(value).into()).collect()
    }
}

/// The SDK's way to the task with the connections. The task ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct HttpClient(mpsc::Sender<Exchange>);

/// One exchange, for the task.
struct Exchange {
    method: Method,
    /// Headers besides those of the place.
    headers: Vec<(&'static str, String)>,
    further: HashMap<HeaderName, HeaderValue>,
    body: Vec<u8>,
    answer: oneshot::Sender<Result<Answer, Unreachable>>,
}

/// The head of an answer, and its pieces as they come.
struct Answer {
    status: StatusCode,
    is_json: bool,
    is_events: bool,
    session: Option<String>,
    challenge: Option<String>,
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    /// The connection is closed when this is dropped.
    unwanted: DropGuard,
}

/// Starts the task with the connections on the calling arbiter. The configuration is for the SDK.
pub(super) fn start_http(network: &Network, place: Place) -> (HttpClient, StreamableHttpClientTransportConfig) {
    let (exchanges, mut received) = mpsc::channel::<Exchange>(WAITING);
    let url: Arc<str> = place.url.to_string().into();
    let dialer = network.dialer(CONNECT_TIME, CONNECTIONS);
    actix_rt::spawn(async move {
        let place = Rc::new(place);
        while let Some(exchange) = received.recv().await {
            actix_rt::spawn(carry_out(dialer.clone(), place.clone(), exchange));
        }
    });
    let mut config = StreamableHttpClientTransportConfig::with_uri(url)
        .max_sse_event_size(MESSAGE_BYTES)
        .max_json_response_size(MESSAGE_BYTES);
    config.channel_buffer_capacity = WAITING;
    (HttpClient(exchanges), config)
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

    async fn message(self) -> Result<rmcp::model::ServerJsonRpcMessage, Unreachable> {
        let body = self.body().await?;
        message(&String::from_utf8_lossy(&body)).map_err(Unreachable::Answer)
    }

    /// The events of a stream, each of which is bounded.
    fn events(self) -> BoxStream<'static, Result<Sse, SseError>> {
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

impl HttpClient {
    async fn exchange(
        &self,
        method: Method,
        headers: Vec<(&'static str, String)>,
        further: HashMap<HeaderName, HeaderValue>,
        body: Vec<u8>,
    ) -> Result<Answer, Error> {
        let (answer, answered) = oneshot::channel();
        let exchange = Exchange { method, headers, further, body, answer };
        self.0.send(exchange).await.map_err(|_| Error::TransportChannelClosed)?;
        let answer = answered.await.map_err(|_| Error::TransportChannelClosed)?.map_err(Error::Client)?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let challenge = answer.challenge.clone().unwrap_or_default();
            return Err(Error::AuthRequired(AuthRequiredError::new(challenge)));
        }
        Ok(answer)
    }
}

fn session_header(session: Option<Arc<str>>) -> Option<(&'static str, String)> {
    session.map(|session| ("mcp-session-id", session.to_string()))
}

impl StreamableHttpClient for HttpClient {
    type Error = Unreachable;

    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        further: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let body = serde_json::to_vec(&message)?;
        let has_session = session.is_some();
        let mut headers = vec![
            ("accept", "application/json, text/event-stream".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        headers.extend(session_header(session));
        let answer = self.exchange(Method::POST, headers, further, body).await?;
        let status = answer.status;
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status == StatusCode::NOT_FOUND && has_session {
            return Err(Error::SessionExpired);
        }
        let awaits_answer = matches!(message, ClientJsonRpcMessage::Request(_));
        let session = answer.session.clone();
        if !status.is_success() {
            // Some servers say in JSON what is wrong.
            if answer.is_json
                && let Ok(said @ rmcp::model::ServerJsonRpcMessage::Error(_)) = answer.message().await
            {
                return Ok(StreamableHttpPostResponse::Json(said, session));
            }
            return Err(Error::Client(Unreachable::Status(status)));
        }
        if !awaits_answer {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if answer.is_events {
            return Ok(StreamableHttpPostResponse::Sse(answer.events(), session));
        }
        if !answer.is_json {
            return Err(Error::Client(Unreachable::Answer("it is neither JSON nor a stream of events".to_owned())));
        }
        Ok(StreamableHttpPostResponse::Json(answer.message().await.map_err(Error::Client)?, session))
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        further: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Error> {
        let headers = session_header(Some(session)).into_iter().collect();
        let answer = self.exchange(Method::DELETE, headers, further, Vec::new()).await?;
        match answer.status {
            StatusCode::METHOD_NOT_ALLOWED => Err(Error::ServerDoesNotSupportDeleteSession),
            status if status.is_success() => Ok(()),
            status => Err(Error::Client(Unreachable::Status(status))),
        }
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        further: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Error> {
        let mut headers = vec![("accept", "text/event-stream".to_owned())];
        headers.extend(session_header(session));
        headers.extend(last_event.map(|id| ("last-event-id", id)));
        let answer = self.exchange(Method::GET, headers, further, Vec::new()).await?;
        match answer.status {
            StatusCode::METHOD_NOT_ALLOWED => Err(Error::ServerDoesNotSupportSse),
            status if !status.is_success() => Err(Error::Client(Unreachable::Status(status))),
            _ if !answer.is_events => Err(Error::ServerDoesNotSupportSse),
            _ => Ok(answer.events()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(config: &str, url: &str) -> Result<Place, String> {
        let environment = Environment::from_fn(|name| (name == "TOKEN").then(|| "s3cret".to_owned()));
        Place::new(&toml::from_str(config).unwrap(), url, &environment)
    }

    #[test]
    fn a_token_comes_from_the_environment_or_the_server_is_not_asked() {
        let place_of = place("bearer_token_env_var = 'TOKEN'\nhttp_headers = { X-A = 'b' }", "http://h/mcp").unwrap();
        assert_eq!(place_of.headers.get("authorization").unwrap(), "Bearer s3cret");
        assert_eq!(place_of.headers.get("x-a").unwrap(), "b");
        assert!(place_of.secrets().iter().any(|secret| secret.expose() == "s3cret"));
        assert!(place("bearer_token_env_var = 'NONE'", "http://h").err().unwrap().contains("NONE"));
        assert!(place("env_http_headers = { X-A = 'NONE' }", "http://h").unwrap().headers.is_empty());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_showing_it() {
        for url in ["ftp://h", "h", "http://", "http://user:pass@h/"] {
            let refusal = place("", url).err().unwrap_or_else(|| panic!("{url}"));
            assert!(!refusal.contains("pass@"), "{refusal}");
        }
        for config in [
            "http_headers = { 'a b' = 'v4lue' }",
            "http_headers = { a = \"v4lue\\n\" }",
            "http_headers = { Host = 'v4lue' }",
        ] {
            assert!(!place(config, "http://h").err().unwrap().contains("v4lue"), "{config}");
        }
    }

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
