//! One HTTP call: its headers, its time, its size.

use awc::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use awc::http::{Method, StatusCode};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use url::Url;

use super::super::failure::{Failure, Kind};
use super::super::times;
use super::{Backend, What};
use crate::protocol::initialize::ClientInfo;
use crate::protocol::remote::{Secret, read_body, without};

/// The name of the caller while no client has said another.
const NOBODYS_NAME: &str = "codex_cli_rs";

/// What is asked.
pub struct Call<'a> {
    pub what: What,
    method: Method,
    url: Url,
    bearer: Option<&'a Secret>,
    account: Option<&'a str>,
    installation: Option<&'a str>,
    body: Option<Vec<u8>>,
}

impl<'a> Call<'a> {
    pub fn new(what: What, method: Method, url: Url, bearer: &'a Secret) -> Self {
        Self { what, method, url, bearer: Some(bearer), account: None, installation: None, body: None }
    }

    pub fn post(what: What, url: Url, bearer: &'a Secret, body: Vec<u8>) -> Self {
        Self { body: Some(body), ..Self::new(what, Method::POST, url, bearer) }
    }

    pub fn anonymous(url: Url, body: Vec<u8>) -> Self {
        let (account, installation) = (None, None);
        Self { what: What::Tokens, method: Method::POST, url, bearer: None, account, installation, body: Some(body) }
    }

    pub fn account(self, id: &'a str) -> Self {
        Self { account: Some(id), ..self }
    }

    pub fn installation(self, id: &'a str) -> Self {
        Self { installation: Some(id), ..self }
    }
}

/// What comes back, whatever it says.
pub struct Answer {
    pub what: What,
    pub url: Url,
    pub status: StatusCode,
    pub request_id: Option<String>,
    pub cf_ray: Option<String>,
    pub retry_after: Option<String>,
    pub body: Bytes,
}

impl Answer {
    /// The body of a success.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_body(&self.body).map_err(|e| self.unreadable(format_args!("decode error: {e}")))
    }
}

impl Backend {
    /// Calls, and takes only a success for an answer.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let answer = self.exchange(call).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let header = answer.retry_after.as_deref().filter(|_| answer.what.honours_retry_after(answer.status.as_u16()));
        let retry_at_ms = header.and_then(|header| self.retry_at(header));
        Err(Failure { retry_at_ms, ..answer.refusal() })
    }

    /// When a `Retry-After` lets us try again: a while later, so that not every host comes back in the same moment, but
    /// never so late that nobody would call it trying.
    pub fn retry_at(&self, header: &str) -> Option<i64> {
        let now_ms = self.clock.unix_ms();
        let latest = now_ms.saturating_add_unsigned(self.settings.retry_after_most_milliseconds);
        let at = times::retry_after(header, now_ms)?.min(latest);
        let jitter = self.settings.retry_jitter_milliseconds as f64 * (self.random)();
        Some(at.saturating_add(jitter as i64))
    }

    /// Calls, and takes what comes.
    pub(super) async fn exchange(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let (what, url) = (call.what, call.url.clone());
        // The client's own limit ends with the head of the answer.
        let answer = timeout(self.settings.request(), self.send(call)).await;
        answer
            .ok()
            .flatten()
            .ok_or_else(|| Failure { transient: true, ..Failure::new(Kind::Other, what.unreachable(&url)) })
    }

    async fn send(&self, call: Call<'_>) -> Option<Answer> {
        let Call { what, method, url, bearer, account, installation, body } = call;
        let (originator, user_agent) = self.names();
        let mut request = self.http().request(method, url.as_str()).no_decompress().force_close();
        request = request.insert_header((ACCEPT, "*/*"));
        for (name, value) in [("originator", originator), (USER_AGENT.as_str(), user_agent)] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request = request.insert_header((name, value));
            }
        }
        if let Some(bearer) = bearer {
            let mut value = HeaderValue::try_from(format!("Bearer {}", bearer.expose())).ok()?;
            value.set_sensitive(true);
            request = request.insert_header((AUTHORIZATION, value));
        }
        for (name, value) in [("chatgpt-account-id", account), ("x-codex-installation-id", installation)] {
            if let Some(value) = value {
                request = request.insert_header((name, value));
            }
        }
        let sent = match body {
            Some(body) => request.insert_header((CONTENT_TYPE, "application/json")).send_body(body),
            None => request.send(),
        };
        let mut response = sent.await.inspect_err(|e| log::debug!("{} could not be sent: {e}", what.label())).ok()?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let request_id = header("x-request-id").or_else(|| header("x-oai-request-id"));
        let (cf_ray, retry_after) = (header("cf-ray"), header(RETRY_AFTER.as_str()));
        let body = response.body().limit(self.settings.response_bytes).await;
        let body = body.inspect_err(|e| log::debug!("the answer to {} broke off: {e}", what.label())).ok()?;
        let status = response.status();
        let body = match bearer {
            Some(bearer) if !status.is_success() => without(bearer.expose(), &body).into(),
            _ => body,
        };
        Some(Answer { what, url, status, request_id, cf_ray, retry_after, body })
    }

    /// The headers `originator` and `user-agent`.
    fn names(&self) -> (String, String) {
        match &*self.client.borrow() {
            Some(client) => (client.name.clone(), self.host.user_agent(&client.name, Some(client))),
            None => (NOBODYS_NAME.to_owned(), self.host.user_agent(NOBODYS_NAME, None::<&ClientInfo>)),
        }
    }
}
