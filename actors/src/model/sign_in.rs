//! The user's OpenAI sign-in: a key or tokens from `auth.json`, or a key from the environment.

use std::sync::Arc;
use std::time::Duration;

use awc::http::Method;
use awc::http::header::CONTENT_TYPE;
use futures_util::future::LocalBoxFuture;

use super::credentials::{Credential, Credentials};
use crate::account::{self, TokenEndpoint};
use crate::clock::Clock;
use crate::environment::Environment;
use crate::http::{Http, HttpBounds};
use crate::network::Network;
use crate::protocol::Secret;
use crate::protocol::account::{AuthFile, RateLimitSnapshot, TokenResponse};
use crate::times;

/// Time limit for the token endpoint.
const RENEWAL: Duration = Duration::from_secs(30);

/// Largest answer of the token endpoint, in bytes.
const ANSWER: usize = 1024 * 1024;

/// See the module's documentation.
pub struct OpenAiSignIn {
    /// Shared by all code that uses the tokens, because a refresh token works only once.
    pub account: Arc<account::Credentials>,
    /// The endpoint for new tokens.
    pub endpoint: TokenEndpoint,
    /// The environment variables, in which keys are found.
    pub environment: Environment,
    /// How connections are made.
    pub network: Network,
    /// The wall clock, for `auth.json`.
    pub clock: Clock,
}

impl OpenAiSignIn {
    /// Environment variables that may hold a key: one made for this program, and one that may be meant for others.
    pub const KEY_VARIABLES: [&'static str; 2] = ["CODEX_API_KEY", "OPENAI_API_KEY"];

    /// A sign-in that the user made for this program comes before a key that may be meant for others.
    fn now(&self) -> Result<Credential, String> {
        let key = |name: &str| self.environment.get(name).map(|key| Credential::ApiKey(Secret::from(key.trim())));
        if let Some(key) = key(Self::KEY_VARIABLES[0]) {
            return Ok(key);
        }
        match self.account.now() {
            AuthFile::Chatgpt(tokens) => {
                Ok(Credential::Chatgpt { access: tokens.access, account_id: tokens.account_id })
            }
            AuthFile::ApiKey(key) => Ok(Credential::ApiKey(key)),
            AuthFile::Nobody => key(Self::KEY_VARIABLES[1]).ok_or_else(|| {
                "nobody is signed in. Set OPENAI_API_KEY, sign in with `codex login`, or choose another provider: \
                 model_provider = \"ollama\", \"lmstudio\", \"llamacpp\", or \"echo\" to try things out"
                    .to_owned()
            }),
        }
    }
}

impl Credentials for OpenAiSignIn {
    fn current(&self) -> LocalBoxFuture<'_, Result<Credential, String>> {
        Box::pin(async { self.now() })
    }

    fn saw_limits(&self, credential: &Credential, limits: &[RateLimitSnapshot]) {
        if let Credential::Chatgpt { account_id, .. } = credential {
            self.account.saw_limits(account_id.as_deref(), limits);
        }
    }

    fn renew(&self, refused: Credential) -> LocalBoxFuture<'_, Result<Credential, String>> {
        Box::pin(async move {
            // Another program may have signed in anew meanwhile.
            let now = self.now()?;
            if now != refused {
                return Ok(now);
            }
            let Credential::Chatgpt { access, .. } = refused.clone() else {
                return Err("an API key cannot be renewed".to_owned());
            };
            let account = self.account.clone();
            let (endpoint, network) = (self.endpoint.clone(), self.network.clone());
            let at = times::show(self.clock.unix_ms());
            // In a task of its own: a turn that is interrupted must not lose tokens that have already been traded.
            let renewing = actix_rt::spawn(async move {
                account.renew(&access, at, async |refresh| new_tokens(&network, &endpoint, refresh).await).await
            });
            renewing.await.map_err(|error| error.to_string())??;
            let renewed = self.now()?;
            if renewed == refused { Err("the sign-in has no newer token".to_owned()) } else { Ok(renewed) }
        })
    }
}

async fn new_tokens(network: &Network, endpoint: &TokenEndpoint, refresh: Secret) -> Result<TokenResponse, String> {
    let http = Http::new(network, HttpBounds { connect: RENEWAL, exchange: RENEWAL, response_bytes: ANSWER });
    let request = http.request(Method::POST, &endpoint.url()?).insert_header((CONTENT_TYPE, "application/json"));
    let answer = http.exchange(request, Some(TokenEndpoint::request(refresh))).await;
    TokenEndpoint::read(&answer.map_err(|error| error.to_string())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(
        auth_json: &str,
        variables: &'static [(&'static str, &'static str)],
    ) -> (tempfile::TempDir, OpenAiSignIn) {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("auth.json"), auth_json).unwrap();
        let environment = Environment::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let sign_in = OpenAiSignIn {
            account: Arc::new(account::Credentials::new(home.path())),
            endpoint: TokenEndpoint::new(Some("http://127.0.0.1:1/".to_owned())),
            network: Network::new(&environment),
            environment,
            clock: Clock::system(),
        };
        (home, sign_in)
    }

    const CHATGPT: &str = r#"{"tokens":{"id_token":"i","access_token":"a","refresh_token":"r","account_id":"acc"}}"#;

    #[actix_rt::test]
    async fn the_sign_in_of_this_program_comes_first() {
        let both = &[("OPENAI_API_KEY", "sk-env"), ("OTHER", "x")];
        let bearer = async |auth_json: &str, variables| {
            let (_home, sign_in) = sign_in(auth_json, variables);
            sign_in.current().await.map(|credential| credential.bearer().expose().to_owned())
        };
        assert_eq!(bearer(CHATGPT, both).await.unwrap(), "a");
        assert_eq!(bearer(r#"{"OPENAI_API_KEY":"sk-file"}"#, both).await.unwrap(), "sk-file");
        assert_eq!(bearer("{}", both).await.unwrap(), "sk-env");
        assert_eq!(bearer(CHATGPT, &[("CODEX_API_KEY", "sk-own")]).await.unwrap(), "sk-own");
        assert!(bearer("{}", &[]).await.unwrap_err().contains("echo"));
    }

    #[actix_rt::test]
    async fn a_sign_in_made_meanwhile_is_used_and_a_key_stays_refused() {
        let (home, sign_in) = sign_in(CHATGPT, &[]);
        let refused = sign_in.current().await.unwrap();
        std::fs::write(home.path().join("auth.json"), CHATGPT.replace("\"a\"", "\"other\"")).unwrap();
        assert_eq!(sign_in.renew(refused).await.unwrap().bearer().expose(), "other");
        let (_home, by_key) = self::sign_in(r#"{"OPENAI_API_KEY":"sk-file"}"#, &[]);
        let key = by_key.current().await.unwrap();
        assert!(by_key.renew(key).await.unwrap_err().contains("cannot be renewed"));
    }
}
