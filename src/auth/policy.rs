//! The secrets in effect, as read from their files.

use secrecy::ExposeSecret as _;

use super::{AuthError, AuthPlan, Denial, TokenDigest, jwt::JwtVerifier, secret_file};

/// Checks tokens.
pub enum Policy {
    /// Capability tokens, by their digest.
    Capability(TokenDigest),
    /// Signed JWTs.
    Signed(Box<JwtVerifier>),
}

/// What a client that was let in may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The last second since the Unix epoch in which its token is good; `None` for a token without an end.
    pub valid_until: Option<i64>,
}

impl Pass {
    /// For clients whose tokens do not expire, or who need none.
    pub const WITHOUT_END: Self = Self { valid_until: None };
}

impl Policy {
    /// Reads the file that `plan` names, if it names one.
    pub fn read(plan: &AuthPlan) -> Result<Self, AuthError> {
        Ok(match plan {
            AuthPlan::TokenDigest(digest) => Self::Capability(*digest),
            AuthPlan::TokenFile(path) => Self::Capability(TokenDigest::of(secret_file::read(path)?.expose_secret())),
            AuthPlan::SignedBearer { secret, expected } => {
                let verifier = JwtVerifier::new(&secret_file::read(secret)?, secret, expected.clone())?;
                Self::Signed(Box::new(verifier))
            }
        })
    }

    /// Judges `token` at `now`, in seconds since the Unix epoch.
    pub fn judge(&self, token: &str, now: i64) -> Result<Pass, Denial> {
        match self {
            Self::Capability(digest) if digest.is_of(token) => Ok(Pass::WITHOUT_END),
            Self::Capability(_) => Err(Denial::BadToken),
            Self::Signed(verifier) => verifier.judge(token, now),
        }
    }
}
