//! The token endpoint of the sign-in, which trades a refresh token for new tokens.

use url::Url;

use crate::http::HttpResponse;
use crate::protocol::Secret;
use crate::protocol::account::{TokenRequest, TokenResponse};
use crate::protocol::body::{read_body, write_body};

/// The token endpoint, unless an environment variable names another one.
const TOKEN_URL: &str = "https://auth.openai.com/oauth/token";

/// The OAuth client that users sign in to.
pub(super) const OAUTH_CLIENT: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// The URL of the token endpoint, and what is said there.
#[derive(Clone, Debug)]
pub struct TokenEndpoint(String);

impl TokenEndpoint {
    /// The endpoint at `url`, or the usual one.
    pub fn new(url: Option<String>) -> Self {
        Self(url.unwrap_or_else(|| TOKEN_URL.to_owned()))
    }

    /// The URL to POST to.
    ///
    /// # Errors
    /// It is not a URL.
    pub fn url(&self) -> Result<Url, String> {
        Url::parse(&self.0).map_err(|e| format!("the token endpoint is not a URL: {e}"))
    }

    /// The body of the request, in JSON.
    pub fn request(refresh: Secret) -> Vec<u8> {
        write_body(&TokenRequest {
            client_id: OAUTH_CLIENT.to_owned(),
            grant_type: "refresh_token".to_owned(),
            refresh_token: refresh,
            refresh_reason: "unauthorized_recovery".to_owned(),
        })
    }

    /// The new tokens in an answer.
    ///
    /// # Errors
    /// It is a refusal, or has other members. The text repeats nothing of the answer.
    pub fn read(answer: &HttpResponse) -> Result<TokenResponse, String> {
        if !answer.status.is_success() {
            return Err(format!("the token endpoint answers HTTP {}", answer.status));
        }
        read_body(&answer.body).map_err(|e| e.to_string())
    }
}
