//! One attempt: an HTTP request to a provider and its streamed answer.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use awc::error::ConnectError;
use awc::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use awc::http::{Method, Uri};
use bytes::Bytes;
use tokio::time::timeout;
use url::Url;

use super::answer::Answer;
use super::client::Inner;
use super::credentials::Credential;
use super::event::ModelEvent;
use super::failure::{ModelFailure, Refusal, Retry};
use super::limits::rate_limits;
use super::provider::{Provider, WireApi};
use crate::network::{ExchangeError, Request, Response};
use crate::protocol::Secret;
use crate::protocol::account::RateLimitSnapshot;
use crate::times;

/// Time for a provider to send the token usage after its last text, or the reason of a refusal.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// An answer being received. Dropping it closes the connection.
pub struct Call {
    response: Response,
    answer: Answer,
    received: usize,
}

/// A URL of a provider.
pub struct Place {
    url: Url,
    /// The URL for display, without its parameters, which may be secrets.
    pub shown: String,
}

impl Place {
    /// The URL of `path` below the provider's base URL.
    ///
    /// # Errors
    /// The base URL is invalid.
    pub fn new(provider: &Provider, credential: Option<&Credential>, path: &str) -> Result<Self, ModelFailure> {
        let (name, key) = (provider.display_name(), &provider.id);
        let unusable = |reason: &str| {
            ModelFailure::unusable(format!("{name} cannot be asked: model_providers.{key}.base_url {reason}"))
        };
        let default_url = || credential.and_then(|credential| provider.default_url(credential));
        let base = provider.base_url.as_deref().or_else(default_url).ok_or_else(|| unusable("is not set"))?;
        let mut url = Url::parse(base).map_err(|error| unusable(&format!("is no URL: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable("must begin with http:// or https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unusable("must not hold a user name or password; use http_headers"));
        }
        let base_path = url.path().trim_end_matches('/');
        // Some users copy the complete URL from the manual of their server.
        let base_path = base_path.strip_suffix("/chat/completions").unwrap_or(base_path);
        let base_path = base_path.strip_suffix("/responses").unwrap_or(base_path);
        let whole = format!("{base_path}{path}");
        url.set_path(&whole);
        let mut shown = url.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        for (name, value) in &provider.query_params {
            url.query_pairs_mut().append_pair(name, value.expose());
        }
        Ok(Self { url, shown: shown.into() })
    }
}

/// All secrets of a request.
pub fn secrets(inner: &Inner, provider: &Provider, credential: Option<&Credential>) -> Vec<Secret> {
    let bearer = credential.map(|credential| credential.bearer().clone());
    let from_environment = provider.env_http_headers.values().filter_map(|name| inner.environment.get(name));
    let in_headers = provider.http_headers.values().chain(provider.query_params.values()).cloned();
    // A short value is not a secret and would redact half of every text.
    let all = bearer.into_iter().chain(from_environment.map(|value| Secret::from(value.as_str()))).chain(in_headers);
    all.filter(|secret| secret.expose().len() >= 8).collect()
}

/// Sends a request with the provider's headers, and waits for the head of the answer.
///
/// # Errors
/// A header in the configuration is invalid, or there is no answer.
pub async fn send(
    inner: &Inner,
    provider: &Provider,
    credential: Option<&Credential>,
    place: &Place,
    question: Option<&Question<'_>>,
) -> Result<Response, ModelFailure> {
    let headers = headers(inner, provider, credential, question)?;
    let uri: Uri = place.url.as_str().parse().map_err(|error| {
        ModelFailure::unusable(format!("{} cannot be asked at {}: {error}", provider.display_name(), place.shown))
    })?;
    let (method, body) = match question {
        Some(question) => (Method::POST, question.body.clone()),
        None => (Method::GET, Bytes::new()),
    };
    let exchange = inner.dialer().exchange(Request { method, uri, headers, body });
    let response = timeout(provider.idle(), exchange).await.map_err(|_| ModelFailure::idle(provider, false))?;
    response.map_err(|error| unreachable(inner, provider, place, &error))
}

fn headers(
    inner: &Inner,
    provider: &Provider,
    credential: Option<&Credential>,
    question: Option<&Question<'_>>,
) -> Result<HeaderMap, ModelFailure> {
    let provider_name = provider.display_name();
    let unusable = |what: &str| {
        ModelFailure::unusable(format!("{provider_name} cannot be asked: {what} does not fit into a header"))
    };
    let mut headers = HeaderMap::new();
    let mut insert = |name: &str, value: &str| {
        let name = HeaderName::try_from(name).map_err(|_| unusable(name))?;
        let value = HeaderValue::try_from(value).map_err(|_| unusable(&format!("the value of {name}")))?;
        headers.insert(name, value);
        Ok(())
    };
    insert(USER_AGENT.as_str(), &inner.user_agent)?;
    if let Some(question) = question {
        if let Some(trace) = question.trace {
            insert("traceparent", trace)?;
        }
        insert(CONTENT_TYPE.as_str(), "application/json")?;
        insert(ACCEPT.as_str(), "text/event-stream")?;
        if provider.dialect.openai_members {
            for name in ["session-id", "thread-id", "x-client-request-id"] {
                insert(name, question.thread_id)?;
            }
        }
    } else {
        insert(ACCEPT.as_str(), "application/json")?;
    }
    if let Some(credential) = credential {
        insert(AUTHORIZATION.as_str(), &format!("Bearer {}", credential.bearer().expose()))?;
    }
    if let Some(Credential::Chatgpt { account_id: Some(id), .. }) = credential {
        insert("chatgpt-account-id", id)?;
    }
    if provider.requires_openai_auth {
        insert("originator", &inner.originator)?;
    }
    for (name, value) in &provider.http_headers {
        insert(name, value.expose())?;
    }
    for (name, variable) in &provider.env_http_headers {
        if let Some(value) = inner.environment.get(variable) {
            insert(name, value.trim())?;
        }
    }
    Ok(headers)
}

impl Call {
    /// Sends the request and waits for the head of the answer. The rate limits that it states are added to `limits`.
    ///
    /// # Errors
    /// There is no answer, or it is not successful.
    pub async fn begin(
        inner: &Inner,
        provider: &Provider,
        credential: Option<&Credential>,
        question: Question<'_>,
        limits: &mut Vec<RateLimitSnapshot>,
    ) -> Result<Self, ModelFailure> {
        let path = match provider.wire_api {
            WireApi::Chat => "/chat/completions",
            WireApi::Responses | WireApi::Echo => "/responses",
        };
        let place = Place::new(provider, credential, path)?;
        let mut response = send(inner, provider, credential, &place, Some(&question)).await?;
        if provider.uses_sign_in() {
            limits.extend(rate_limits(&response.headers));
        }
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_stream = !matches!(kind.as_str(), "text/html" | "application/json");
        if response.status.is_success() && is_stream {
            let answer = Answer::new(provider.wire_api, question.first_item, inner.settings.event_bytes);
            return Ok(Self { response, answer, received: 0 });
        }
        if response.status.is_success() {
            let body = opening(&mut response, inner.settings.error_bytes).await;
            return Err(ModelFailure::no_stream(provider, &place.shown, &kind, &body));
        }
        Err(refused(inner, provider, &place, response).await)
    }

    /// Waits for more of the answer and appends its events to `out`. Returns true if the answer is complete.
    ///
    /// # Errors
    /// The answer has failed. Open items were ended in `out`.
    pub async fn more(
        &mut self,
        inner: &Inner,
        provider: &Provider,
        out: &mut Vec<ModelEvent>,
    ) -> Result<bool, ModelFailure> {
        let read = self.read(inner, provider, out).await;
        if read.is_err() {
            self.answer.cut(out);
        }
        read.map(|()| self.answer.is_complete())
    }

    async fn read(
        &mut self,
        inner: &Inner,
        provider: &Provider,
        out: &mut Vec<ModelEvent>,
    ) -> Result<(), ModelFailure> {
        let patience = if self.answer.is_finished() { LAST_WORDS.min(provider.idle()) } else { provider.idle() };
        let of_stream = |fault| ModelFailure::of_stream(provider, fault);
        match timeout(patience, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.received = self.received.saturating_add(bytes.len());
                if self.received > inner.settings.answer_bytes {
                    return Err(ModelFailure::endless(provider, inner.settings.answer_bytes));
                }
                self.answer.push(&bytes, out).map_err(of_stream)
            }
            Ok(Ok(None)) => self.answer.end(out).map_err(of_stream),
            // Servers that end an answer with the connection do not always terminate its encoding.
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => self.answer.end(out).map_err(of_stream),
            // The answer is complete; only the token usage is missing.
            _ if self.answer.is_finished() => self.answer.end(out).map_err(of_stream),
            Ok(Err(error)) => Err(ModelFailure::broken(provider, &error.to_string())),
            Err(_) => Err(ModelFailure::idle(provider, true)),
        }
    }

    /// The number of the next item.
    pub fn next_item(&self) -> u32 {
        self.answer.next_item()
    }
}

/// The request.
pub struct Question<'a> {
    pub body: Bytes,
    pub thread_id: &'a str,
    pub trace: Option<&'a str>,
    pub first_item: u32,
}

/// The failure for an unsuccessful answer.
pub async fn refused(inner: &Inner, provider: &Provider, place: &Place, mut response: Response) -> ModelFailure {
    let body = opening(&mut response, inner.settings.error_bytes).await;
    let retry_after = retry_after(&response, inner.clock.unix_ms());
    ModelFailure::refused(provider, &place.shown, &Refusal { status: response.status, retry_after, body: &body })
}

/// The beginning of a body that is not a stream, or less of it if it is slow.
pub async fn opening(response: &mut Response, most: usize) -> Vec<u8> {
    timeout(LAST_WORDS, response.opening(most)).await.unwrap_or_default()
}

/// Classifies the failure of a request without an answer.
fn unreachable(inner: &Inner, provider: &Provider, place: &Place, error: &ExchangeError) -> ModelFailure {
    let (mut reason, retry) = match error {
        ExchangeError::Connect(ConnectError::Timeout) => {
            (format!("no connection within {}", inner.settings.connect_seconds), Retry::Later)
        }
        ExchangeError::Connect(ConnectError::Io(error)) => match error.kind() {
            io::ErrorKind::ConnectionRefused => ("nothing listens there".to_owned(), Retry::Later),
            // The certificate, or a peer that does not speak TLS.
            io::ErrorKind::InvalidData => (format!("no encrypted connection: {error}"), Retry::Never),
            io::ErrorKind::InvalidInput => (error.to_string(), Retry::Never),
            _ => (error.to_string(), Retry::Later),
        },
        ExchangeError::NoHttp(_) => (error.to_string(), Retry::UnlessRepeated),
        error => (error.to_string(), Retry::Later),
    };
    if provider.is_local() {
        let _ = write!(reason, ". Is {} running?", provider.display_name());
    }
    ModelFailure::unreachable(provider, &place.shown, &reason, retry)
}

/// The wait that an answer requests.
fn retry_after(response: &Response, now_ms: i64) -> Option<Duration> {
    let milliseconds = response.header("retry-after-ms").and_then(|text| text.trim().parse().ok());
    if let Some(milliseconds) = milliseconds {
        return Some(Duration::from_millis(milliseconds));
    }
    let at = times::retry_after(response.header("retry-after")?, now_ms)?;
    u64::try_from(at.saturating_sub(now_ms)).ok().map(Duration::from_millis)
}
