//! Failures of requests to models (spec: turns 5.2), and whether a retry makes sense.

mod codes;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use awc::http::StatusCode;

use self::words::{shortened, wait_in};
use super::fault::StreamFault;
use super::provider::{Provider, WireApi};
use crate::protocol::Secret;
use crate::protocol::body::without;
use crate::protocol::model::ProviderError;
use crate::protocol::turn::{CodexErrorInfo, HttpStatus};

/// Why a request to a model failed, in the form that clients receive. It contains no key, token or header.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ModelFailure {
    /// The kind of failure, for programs.
    pub info: CodexErrorInfo,
    /// The text for people: what happened, to which provider, and what to do.
    pub message: String,
    /// Details, if there are any.
    pub details: Option<String>,
    /// Size of the model's context window in tokens, if the provider reported it because the conversation is too long.
    pub context_window: Option<u64>,
    /// The HTTP status, if it is not 200.
    pub(super) status: Option<u16>,
    /// Whether a retry makes sense.
    pub(super) retry: Retry,
}

/// Whether a retry makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    /// No: the answer would be the same.
    Never,
    /// Once, with renewed credentials.
    WithNewToken,
    /// Once; a provider that repeats this answer will not change it.
    UnlessRepeated,
    /// After the usual wait.
    Later,
    /// After the wait that the provider requests.
    After(Duration),
}

/// An unsuccessful answer of a provider.
pub(super) struct Refusal<'a> {
    pub status: StatusCode,
    /// The wait that a header requests.
    pub retry_after: Option<Duration>,
    pub body: &'a [u8],
}

impl ModelFailure {
    fn new(info: CodexErrorInfo, message: String, retry: Retry) -> Self {
        Self { info, message, details: None, context_window: None, status: None, retry }
    }

    /// The request cannot be sent.
    pub(super) fn unusable(message: String) -> Self {
        Self::new(CodexErrorInfo::Other, message, Retry::Never)
    }

    /// There is no connection, or it broke before the answer.
    pub(super) fn unreachable(provider: &Provider, place: &str, reason: &str, retry: Retry) -> Self {
        let name = provider.display_name();
        let info = CodexErrorInfo::HttpConnectionFailed(HttpStatus { http_status_code: None });
        Self::new(info, format!("{name} cannot be reached at {place}: {reason}"), retry)
    }

    /// The provider was silent for too long.
    pub(super) fn idle(provider: &Provider, begun: bool) -> Self {
        let (name, seconds) = (provider.display_name(), provider.idle().as_secs_f64());
        let message = match begun {
            true => format!("stream disconnected before completion: {name} sent nothing for {seconds} s"),
            false => format!("{name} did not begin to answer within {seconds} s"),
        };
        Self::new(CodexErrorInfo::Other, message, Retry::Later)
    }

    /// The connection broke during the answer.
    pub(super) fn broken(provider: &Provider, reason: &str) -> Self {
        let name = provider.display_name();
        let message = format!("stream disconnected before completion: the connection to {name} broke: {reason}");
        Self::new(CodexErrorInfo::Other, message, Retry::Later)
    }

    /// The answer is too long.
    pub(super) fn endless(provider: &Provider, bytes: usize) -> Self {
        let name = provider.display_name();
        Self::unusable(format!("the answer of {name} has more than {bytes} bytes (model.answer_bytes)"))
    }

    /// The provider refuses the request.
    pub(super) fn refused(provider: &Provider, place: &str, refusal: &Refusal<'_>) -> Self {
        let status = refusal.status.as_u16();
        let error = ProviderError::read(refusal.body).unwrap_or_default();
        let said = error.message.clone().unwrap_or_else(|| shortened(&String::from_utf8_lossy(refusal.body)));
        let (info, retry) = codes::of_error(&error, Some(status)).unwrap_or_else(|| codes::of_status(status));
        let retry = match (retry, refusal.retry_after) {
            (Retry::Later, Some(wait)) => Retry::After(wait),
            (retry, _) => retry,
        };
        let mut message = format!("{} answered {}", provider.display_name(), refusal.status);
        if !said.is_empty() {
            message = format!("{message}: {said}");
        }
        if let Some(hint) = hint(provider, place, status, &info) {
            message = format!("{}. {hint}", message.trim_end_matches('.'));
        }
        let context_window = error.context_window;
        Self { status: Some(status), context_window, ..Self::new(info, message, retry) }
    }

    /// The answer is not a stream of events.
    pub(super) fn no_stream(provider: &Provider, place: &str, kind: &str, body: &[u8]) -> Self {
        if let Some(error) = ProviderError::read(body) {
            return Self::of_stream(provider, StreamFault::Failed(error));
        }
        let name = provider.display_name();
        let opening = shortened(&String::from_utf8_lossy(body));
        Self::unusable(format!(
            "{name} sent {kind} instead of a stream of events; check base_url ({place}). It begins: {opening}"
        ))
    }

    /// The stream of events is not a valid answer.
    pub(super) fn of_stream(provider: &Provider, fault: StreamFault) -> Self {
        let name = provider.display_name();
        let other = |message: String, retry| Self::new(CodexErrorInfo::Other, message, retry);
        match fault {
            StreamFault::Broken => other(
                format!("stream disconnected before completion: {name} closed it before the answer was complete"),
                Retry::Later,
            ),
            StreamFault::Garbled(reason) => other(
                format!("stream disconnected before completion: {name} sent an event that makes no sense: {reason}"),
                Retry::Later,
            ),
            StreamFault::TooLong(reason) => {
                other(format!("the answer of {name} cannot be read: {reason}"), Retry::Never)
            }
            StreamFault::NoStream(opening) => other(
                format!("{name} sent something else than a stream of events. It begins: {}", shortened(&opening)),
                Retry::UnlessRepeated,
            ),
            StreamFault::OtherWire(wire) => {
                let word = if wire == WireApi::Chat { "chat" } else { "responses" };
                let key = &provider.id;
                other(
                    format!("{name} answers in another form; set model_providers.{key}.wire_api = \"{word}\""),
                    Retry::Never,
                )
            }
            StreamFault::Incomplete(reason) => other(
                match reason.as_str() {
                    "max_output_tokens" => {
                        format!("{name} ended the answer before it was complete, at its longest length ({reason})")
                    }
                    "content_filter" => {
                        format!("{name} ended the answer before it was complete, because of its {reason}")
                    }
                    _ => format!("{name} ended the answer before it was complete ({reason})"),
                },
                Retry::Never,
            ),
            StreamFault::Empty => other(format!("the answer of {name} is empty"), Retry::Never),
            StreamFault::Failed(error) => Self::failed(provider, &error),
        }
    }

    /// The provider reports that the answer has failed.
    fn failed(provider: &Provider, error: &ProviderError) -> Self {
        let name = provider.display_name();
        let said = error.message.as_deref().map(shortened).or_else(|| error.code.clone());
        let said = said.unwrap_or_else(|| "it does not say why".to_owned());
        let wait = wait_in(&said);
        let known = codes::of_error(error, None);
        let message = match &known {
            Some(_) => format!("{name}: {said}"),
            None => format!("stream disconnected before completion: {name}: {said}"),
        };
        let (info, retry) = known.unwrap_or((CodexErrorInfo::Other, Retry::Later));
        let retry = match (retry, wait) {
            (Retry::Later, Some(wait)) => Retry::After(wait),
            (retry, _) => retry,
        };
        Self { context_window: error.context_window, ..Self::new(info, message, retry) }
    }

    /// The failure as clients see it while a retry follows.
    pub(super) fn while_retried(self, attempt: u32, of: u32) -> Self {
        let info = CodexErrorInfo::ResponseStreamDisconnected(HttpStatus { http_status_code: self.status });
        Self { info, message: format!("Reconnecting... {attempt}/{of}"), details: Some(self.message.clone()), ..self }
    }

    /// The failure without secrets: some providers repeat a key that they refuse.
    pub(super) fn redacted(mut self, secrets: &[Secret]) -> Self {
        for secret in secrets {
            self.message = without(secret.expose(), self.message.as_bytes());
            self.details = self.details.map(|details| without(secret.expose(), details.as_bytes()));
        }
        self
    }
}

/// What to do about it.
fn hint(provider: &Provider, place: &str, status: u16, info: &CodexErrorInfo) -> Option<String> {
    match (status, info) {
        (401 | 403, _) => Some(match (&provider.env_key, provider.requires_openai_auth) {
            (Some(variable), _) => format!("Check the key in the environment variable {variable}"),
            (None, true) => "Sign in again (codex login), or set OPENAI_API_KEY".to_owned(),
            (None, false) => format!("Set model_providers.{}.env_key to a variable that holds a key", provider.id),
        }),
        (404, CodexErrorInfo::HttpConnectionFailed { .. }) => {
            let other = if provider.wire_api == WireApi::Chat { "responses" } else { "chat" };
            Some(format!("There is nothing at {place}; check base_url, or try wire_api = \"{other}\""))
        }
        (300..=399, _) => Some(format!("Redirects are not followed; set base_url to where {place} leads")),
        _ => None,
    }
}
