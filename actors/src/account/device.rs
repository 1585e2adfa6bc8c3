//! Signing in to ChatGPT with a code that the user types on another device.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::task::spawn_blocking;
use awc::http::header::CONTENT_TYPE;
use awc::http::{Method, StatusCode};
use tokio::time::{Instant, sleep};
use url::Url;
use url::form_urlencoded::Serializer;

use super::Credentials;
use super::renewal::OAUTH_CLIENT;
use crate::clock::Clock;
use crate::http::{Http, HttpBounds, HttpResponse};
use crate::network::Network;
use crate::protocol::account::{
    DeviceCodeIssued, DeviceCodeRequest, DeviceGrant, IssuedTokens, PlanType, TokenResponse,
};
use crate::protocol::body::{read_body, write_body};
use crate::times;

/// Who signs users in, unless an environment variable names another one.
const ISSUER: &str = "https://auth.openai.com";

/// How long a code can be typed.
const VALIDITY: Duration = Duration::from_secs(15 * 60);

/// Shortest and longest pause between two questions whether it was.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// The bounds of a request to the issuer.
const BOUNDS: HttpBounds =
    HttpBounds { connect: Duration::from_secs(30), exchange: Duration::from_secs(30), response_bytes: 1024 * 1024 };

/// What signing in needs.
#[derive(Clone)]
pub struct SignInSetup {
    /// Where the account is kept.
    pub account: Arc<Credentials>,
    /// Base URL of who signs users in; `None` for OpenAI.
    pub issuer: Option<String>,
    /// How connections are made.
    pub network: Network,
    /// The wall clock, for `auth.json`.
    pub clock: Clock,
}

impl fmt::Debug for SignInSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignInSetup").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// A sign-in that waits for its user.
pub struct DeviceSignIn {
    setup: SignInSetup,
    http: Http,
    /// Base URL, without a slash at its end.
    issuer: String,
    code: DeviceCodeIssued,
}

impl DeviceSignIn {
    /// Asks for a code.
    ///
    /// # Errors
    /// The issuer cannot be reached, or refuses. The text contains no secrets.
    pub async fn begin(setup: SignInSetup) -> Result<Self, String> {
        let http = Http::new(&setup.network, BOUNDS);
        let issuer = setup.issuer.as_deref().unwrap_or(ISSUER).trim_end_matches('/').to_owned();
        let url = url(&issuer, "/api/accounts/deviceauth/usercode")?;
        let body = write_body(&DeviceCodeRequest { client_id: OAUTH_CLIENT.to_owned() });
        let answer = post(&http, &url, "application/json", body).await?;
        let code = read_body(&successful(&answer)?.body).map_err(|error| error.to_string())?;
        Ok(Self { setup, http, issuer, code })
    }

    /// What the user types in.
    pub fn user_code(&self) -> &str {
        &self.code.user_code
    }

    /// Where the user types it in.
    pub fn verification_url(&self) -> String {
        format!("{}/codex/device", self.issuer)
    }

    /// Waits until the user has done so, and keeps the account. On return it is on disk.
    ///
    /// # Errors
    /// The code was refused or has expired, or the account cannot be kept. The text contains no secrets.
    pub async fn finish(self) -> Result<PlanType, String> {
        let grant = self.grant().await?;
        let url = url(&self.issuer, "/oauth/token")?;
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("client_id", OAUTH_CLIENT)
            .append_pair("code", grant.authorization_code.expose())
            .append_pair("redirect_uri", &format!("{}/deviceauth/callback", self.issuer))
            .append_pair("code_verifier", grant.code_verifier.expose());
        let body = form.finish().into_bytes();
        let answer = post(&self.http, &url, "application/x-www-form-urlencoded", body).await?;
        let answer: TokenResponse = read_body(&successful(&answer)?.body).map_err(|error| error.to_string())?;
        let (Some(id), Some(access)) = (answer.id_token, answer.access_token) else {
            return Err("the issuer gave no tokens".to_owned());
        };
        let at = times::show(self.setup.clock.unix_ms());
        let refresh = answer.refresh_token;
        let tokens = IssuedTokens { id, access, refresh, issuer: self.issuer, client_id: OAUTH_CLIENT, at };
        let account = self.setup.account;
        spawn_blocking(move || account.sign_in_with_tokens(&tokens)).await.map_err(|error| error.to_string())?
    }

    /// Asks from time to time. An issuer that cannot be reached meanwhile is asked again.
    async fn grant(&self) -> Result<DeviceGrant, String> {
        let url = url(&self.issuer, "/api/accounts/deviceauth/token")?;
        let pause = self.code.interval().clamp(PAUSES[0], PAUSES[1]);
        let deadline = Instant::now() + VALIDITY;
        let body = write_body(&self.code.question());
        while Instant::now() < deadline {
            match post(&self.http, &url, "application/json", body.clone()).await {
                Ok(answer) if [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&answer.status) => {}
                Ok(answer) => return read_body(&successful(&answer)?.body).map_err(|error| error.to_string()),
                Err(reason) => log::info!("the issuer of sign-ins cannot be asked: {reason}"),
            }
            sleep(pause).await;
        }
        Err(format!("the code was not typed within {} min", VALIDITY.as_secs() / 60))
    }
}

fn url(issuer: &str, path: &str) -> Result<Url, String> {
    Url::parse(&format!("{issuer}{path}")).map_err(|error| format!("the issuer of sign-ins is not a URL: {error}"))
}

async fn post(http: &Http, url: &Url, kind: &str, body: Vec<u8>) -> Result<HttpResponse, String> {
    let request = http.request(Method::POST, url).insert_header((CONTENT_TYPE, kind));
    http.exchange(request, Some(body)).await.map_err(|error| error.to_string())
}

fn successful(answer: &HttpResponse) -> Result<&HttpResponse, String> {
    match answer.status.is_success() {
        true => Ok(answer),
        false => Err(format!("the issuer of sign-ins answers HTTP {}", answer.status)),
    }
}
