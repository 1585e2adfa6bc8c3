//! Who pays: the key or token that a provider is shown.

use futures_util::future::LocalBoxFuture;

use crate::protocol::Secret;

/// The user's OpenAI sign-in, for providers that take it.
pub trait Credentials: Send + Sync {
    /// What to show now.
    ///
    /// # Errors
    /// Nobody is signed in; the text says what to do.
    fn current(&self) -> LocalBoxFuture<'_, Result<Credential, String>>;

    /// What to show after `refused` was refused.
    ///
    /// # Errors
    /// Nothing else can be had; the text says why.
    fn renew(&self, refused: Credential) -> LocalBoxFuture<'_, Result<Credential, String>>;
}

/// What a provider is shown.
#[derive(Clone, Debug, PartialEq)]
pub enum Credential {
    /// A key of the provider's.
    ApiKey(Secret),
    /// A ChatGPT user's token.
    Chatgpt {
        /// The token.
        access: Secret,
        /// Which of the user's accounts.
        account_id: Option<String>,
    },
}

impl Credential {
    /// What stands in the header `Authorization`.
    pub fn bearer(&self) -> &Secret {
        match self {
            Self::ApiKey(key) => key,
            Self::Chatgpt { access, .. } => access,
        }
    }
}
