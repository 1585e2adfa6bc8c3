//! A server that speaks over HTTP ("streamable HTTP"): the SDK decides what is sent, and this sends it over our own
//! connections, with their proxies and certificates.
//!
//! The SDK works on tasks that may move between threads, connections stay on one arbiter. So a small task there makes
//! the exchanges, and hands over the answers piece by piece. The tokens stay with that task: the SDK never has them.

mod exchange;
mod place;

use std::collections::HashMap;
use std::sync::Arc;

use awc::http::{Method, StatusCode};
use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::Sse;
use tokio::sync::{mpsc, oneshot};

use super::incoming::MESSAGE_BYTES;
use crate::network::Network;
use exchange::{Answer, Exchange, Unreachable, serve};

pub(super) use place::Place;

/// Exchanges that wait for their start.
const WAITING: usize = 16;

type Error = StreamableHttpError<Unreachable>;

/// The SDK's way to the task with the connections. The task ends when the last one is dropped.
#[derive(Clone)]
pub(super) struct HttpClient(mpsc::Sender<Exchange>);

/// Starts the task with the connections on the calling arbiter. The configuration is for the SDK.
pub(super) fn start_http(network: &Network, place: Place) -> (HttpClient, StreamableHttpClientTransportConfig) {
    let (exchanges, received) = mpsc::channel(WAITING);
    let mut config = StreamableHttpClientTransportConfig::with_uri(place.url.to_string())
        .max_sse_event_size(MESSAGE_BYTES)
        .max_json_response_size(MESSAGE_BYTES);
    config.channel_buffer_capacity = WAITING;
    actix_rt::spawn(serve(network.clone(), place, received));
    (HttpClient(exchanges), config)
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
                && let Ok(said @ ServerJsonRpcMessage::Error(_)) = answer.message().await
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
