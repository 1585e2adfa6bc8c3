//! Credentials for providers: keys and tokens.

use futures_util::future::LocalBoxFuture;

use crate::protocol::Secret;
use crate::protocol::account::RateLimitSnapshot;

/// The user's OpenAI sign-in, for providers that take it.
pub trait Credentials: Send + Sync {
    /// The current credentials.
    ///
    /// # Errors
    /// Nobody is signed in; the error says what to do.
    fn current(&self) -> LocalBoxFuture<'_, Result<Credential, String>>;

    /// New credentials, after the provider has refused `refused`.
    ///
    /// # Errors
    /// There are no other credentials; the error says why.
    fn renew(&self, refused: Credential) -> LocalBoxFuture<'_, Result<Credential, String>>;

    /// Takes note of the rate limits that an answer to `credential` states. By default nobody does.
    fn saw_limits(&self, _credential: &Credential, _limits: &[RateLimitSnapshot]) {}
}

/// The credentials of one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// An API key of the provider.
    ApiKey(Secret),
    /// The access token of a ChatGPT user.
    Chatgpt {
        /// The token.
        access: Secret,
        /// The id of the account.
        account_id: Option<String>,
    },
}

impl Credential {
    /// The value of the header `Authorization`.
    pub fn bearer(&self) -> &Secret {
        match self {
            Self::ApiKey(key) => key,
            Self::Chatgpt { access, .. } => access,
        }
    }
}
