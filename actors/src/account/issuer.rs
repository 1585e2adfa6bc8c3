//! Who signs users in to ChatGPT, and what a sign-in gives.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use awc::http::Method;
use awc::http::header::CONTENT_TYPE;
use url::Url;
use url::form_urlencoded::Serializer;

use super::Credentials;
use super::callback::OpenCallback;
use super::renewal::OAUTH_CLIENT;
use crate::clock::Clock;
use crate::http::{Http, HttpBounds, HttpResponse};
use crate::limits::Seconds;
use crate::network::Network;
use crate::protocol::Secret;
use crate::protocol::account::{IssuedTokens, PlanType, TokenResponse};
use crate::protocol::body::read_body;
use crate::times;

/// The issuer, unless an environment variable names another one.
const ISSUER: &str = "https://auth.openai.com";

/// The bounds of a request to it.
const BOUNDS: HttpBounds =
    HttpBounds { connect: Duration::from_secs(30), exchange: Duration::from_secs(30), response_bytes: 1024 * 1024 };

/// What signing in needs.
#[derive(Clone)]
pub struct SignInSetup {
    /// Where the account is kept.
    pub account: Arc<Credentials>,
    /// Base URL of who signs users in; `None` for OpenAI.
    pub issuer: Option<String>,
    /// How this program calls itself there.
    pub originator: String,
    /// How connections are made.
    pub network: Network,
    /// The wall clock, for `auth.json`.
    pub clock: Clock,
    /// Opens the address that a browser comes back to; `None` where there can be none.
    pub callback: Option<OpenCallback>,
    /// How long a sign-in in a browser may take.
    pub browser_time: Seconds,
}

impl fmt::Debug for SignInSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInSetup").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The issuer, and how it is asked.
pub struct Issuer {
    setup: SignInSetup,
    http: Http,
    /// Without a slash at its end.
    base: String,
}

impl Issuer {
    /// The issuer of this setup.
    pub fn new(setup: SignInSetup) -> Self {
        let http = Http::new(&setup.network, BOUNDS);
        let base = setup.issuer.as_deref().unwrap_or(ISSUER).trim_end_matches('/').to_owned();
        Self { setup, http, base }
    }

    /// A URL below its own.
    ///
    /// # Errors
    /// Its own is none.
    pub fn url(&self, path: &str) -> Result<Url, String> {
        let url = Url::parse(&format!("{}{path}", self.base));
        url.map_err(|error| format!("the issuer of sign-ins is not a URL: {error}"))
    }

    /// What signing in needs.
    pub fn setup(&self) -> &SignInSetup {
        &self.setup
    }

    /// Sends `body` and waits for the answer.
    ///
    /// # Errors
    /// The issuer cannot be reached. The text contains no secrets.
    pub async fn post(&self, path: &str, kind: &str, body: Vec<u8>) -> Result<HttpResponse, String> {
        let request = self.http.request(Method::POST, &self.url(path)?).insert_header((CONTENT_TYPE, kind));
        self.http.exchange(request, Some(body)).await.map_err(|error| error.to_string())
    }

    /// Trades what a user has granted for tokens, and keeps the account. On return it is on disk.
    ///
    /// # Errors
    /// The issuer refuses, or the account cannot be kept. The text contains no secrets.
    pub async fn trade(&self, code: &Secret, redirect: &str, verifier: &Secret) -> Result<PlanType, String> {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("client_id", OAUTH_CLIENT)
            .append_pair("code", code.expose())
            .append_pair("redirect_uri", redirect)
            .append_pair("code_verifier", verifier.expose());
        let body = form.finish().into_bytes();
        let answer = self.post("/oauth/token", "application/x-www-form-urlencoded", body).await?;
        let answer: TokenResponse = read_body(&successful(&answer)?.body).map_err(|error| error.to_string())?;
        let (Some(id), Some(access)) = (answer.id_token, answer.access_token) else {
            return Err("the issuer gave no tokens".to_owned());
        };
        let at = times::show(self.setup.clock.unix_ms());
        let refresh = answer.refresh_token;
        let tokens = IssuedTokens { id, access, refresh, issuer: self.base.clone(), client_id: OAUTH_CLIENT, at };
        let account = self.setup.account.clone();
        spawn_blocking(move || account.sign_in_with_tokens(&tokens)).await.map_err(|error| error.to_string())?
    }
}

/// The answer, if it says yes.
///
/// # Errors
/// It does not.
pub fn successful(answer: &HttpResponse) -> Result<&HttpResponse, String> {
    match answer.status.is_success() {
        true => Ok(answer),
        false => Err(format!("the issuer of sign-ins answers HTTP {}", answer.status)),
    }
}
