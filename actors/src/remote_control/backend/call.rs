//! HTTP requests to the backend: their headers, and the handling of answers.

use std::cell::RefCell;
use std::fmt::Display;

use awc::http::Method;
use awc::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER, USER_AGENT};
use serde::de::DeserializeOwned;
use url::Url;

use super::super::failure::{Failure, Kind};
use super::super::settings::RemoteControlSettings;
use super::error::What;
use crate::clock::Clock;
use crate::host::Host;
use crate::http::{self, Http, HttpResponse};
use crate::network::Network;
use crate::protocol::Secret;
use crate::protocol::body::{read_body, without};
use crate::protocol::initialize::ClientInfo;
use crate::times;

/// The originator until a client has initialized.
const DEFAULT_NAME: &str = "codex_cli_rs";

/// A request to the backend.
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

/// A complete answer of any status.
pub struct Answer {
    pub what: What,
    pub url: Url,
    pub response: HttpResponse,
}

impl Answer {
    /// When the backend answered, by its own clock, in milliseconds since the Unix epoch; `None` if it does not say.
    pub fn date_ms(&self) -> Option<i64> {
        times::date(self.response.header(DATE.as_str())?)
    }

    /// The body of a successful answer.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read_body(&self.response.body).map_err(|e| self.unreadable(format_args!("decode error: {e}")))
    }
}

/// Sends requests in the name of the first local client.
pub struct Caller {
    settings: RemoteControlSettings,
    host: Host,
    clock: Clock,
    random: fn() -> f64,
    client: RefCell<Option<ClientInfo>>,
    http: Http,
}

impl Caller {
    /// Creates a client; nothing is connected yet.
    pub fn new(
        network: &Network,
        settings: RemoteControlSettings,
        host: Host,
        clock: Clock,
        random: fn() -> f64,
    ) -> Self {
        let http = Http::new(network, settings.http());
        Self { settings, host, clock, random, client: RefCell::default(), http }
    }

    /// Sends requests in the name of `client` from now on. Only the first call has an effect.
    pub fn speak_for(&self, client: ClientInfo) {
        self.client.borrow_mut().get_or_insert(client);
    }

    /// Sends a request and requires a successful answer.
    pub async fn call(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let answer = self.exchange(call).await?;
        let status = answer.response.status;
        if status.is_success() {
            return Ok(answer);
        }
        let header = answer.response.header(RETRY_AFTER.as_str());
        let header = header.filter(|_| answer.what.honours_retry_after(status.as_u16()));
        let retry_at_ms = header.and_then(|header| self.retry_at(header));
        Err(Failure { retry_at_ms, ..answer.refusal() })
    }

    /// When to try again after a `Retry-After`: with a random addition, so that hosts do not all return at the same
    /// moment, and with an upper bound.
    pub fn retry_at(&self, header: &str) -> Option<i64> {
        let now_ms = self.clock.unix_ms();
        let latest = now_ms.saturating_add_unsigned(self.settings.retry_after_most_milliseconds.0);
        let at = times::retry_after(header, now_ms)?.min(latest);
        let jitter = self.settings.retry_jitter_milliseconds.0 as f64 * (self.random)();
        Some(at.saturating_add(jitter as i64))
    }

    /// Sends a request and accepts any answer.
    pub async fn exchange(&self, call: Call<'_>) -> Result<Answer, Failure> {
        let Call { what, method, url, bearer, account, installation, body } = call;
        let unreachable = |cause: &dyn Display| Failure {
            transient: true,
            ..Failure::new(Kind::Other, what.unreachable(&url, cause))
        };
        let unsendable = || unreachable(&"the token does not fit into a header");
        let (originator, user_agent) = self.names();
        let mut request = self.http.request(method, &url).force_close().insert_header((ACCEPT, "*/*"));
        for (name, value) in [("originator", originator), (USER_AGENT.as_str(), user_agent)] {
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                request = request.insert_header((name, value));
            }
        }
        if let Some(token) = bearer {
            request = request.insert_header((AUTHORIZATION, http::bearer(token).ok_or_else(unsendable)?));
        }
        for (name, value) in [("chatgpt-account-id", account), ("x-codex-installation-id", installation)] {
            if let Some(value) = value {
                request = request.insert_header((name, value));
            }
        }
        if body.is_some() {
            request = request.insert_header((CONTENT_TYPE, "application/json"));
        }
        let mut response = self.http.exchange(request, body).await.map_err(|error| unreachable(&error))?;
        if let Some(token) = bearer.filter(|_| !response.status.is_success()) {
            response.body = without(token.expose(), &response.body).into();
        }
        Ok(Answer { what, url, response })
    }

    /// The headers `originator` and `user-agent`.
    fn names(&self) -> (String, String) {
        match &*self.client.borrow() {
            Some(client) => (client.name.clone(), self.host.user_agent(&client.name, Some(client))),
            None => (DEFAULT_NAME.to_owned(), self.host.user_agent(DEFAULT_NAME, None::<&ClientInfo>)),
        }
    }
}
