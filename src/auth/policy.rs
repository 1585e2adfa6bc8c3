//! The secrets in effect, as read from their files.

use app_server_actors::protocol::scope::Scopes;
use secrecy::ExposeSecret as _;

use super::{AuthError, AuthPlan, Denial, Pass, TokenDigest, TokenFile, jwt::JwtVerifier, secret_file};

/// Checks tokens.
pub enum Policy {
    /// Capability tokens, by their digest, with the scopes of each.
    Capability(Vec<(TokenDigest, Scopes)>),
    /// Signed JWTs.
    Signed(Box<JwtVerifier>),
}

impl Policy {
    /// Reads the files that `plan` names, if it names any. JWTs without the claim `scope` are given `default_scopes`.
    ///
    /// # Errors
    /// A file cannot be used, or two hold the same token.
    pub fn read(plan: &AuthPlan, default_scopes: Scopes) -> Result<Self, AuthError> {
        Ok(match plan {
            AuthPlan::TokenDigest(digest) => Self::Capability(vec![(*digest, Scopes::ALL)]),
            AuthPlan::TokenFiles(files) => Self::Capability(read_tokens(files)?),
            AuthPlan::SignedBearer { secret, expected } => {
                let text = secret_file::read(secret)?;
                let verifier = JwtVerifier::new(&text, secret, expected.clone(), default_scopes)?;
                Self::Signed(Box::new(verifier))
            }
        })
    }

    /// Judges `token` at `now`, in seconds since the Unix epoch.
    pub fn judge(&self, token: &str, now: i64) -> Result<Pass, Denial> {
        match self {
            Self::Capability(digests) => {
                // Each is compared, so that the time does not tell which one it was.
                let right = digests.iter().fold(
                    None,
                    |right, (digest, scopes)| {
                        if digest.is_of(token) { Some(*scopes) } else { right }
                    },
                );
                right.map(|scopes| Pass { scopes, valid_until: None }).ok_or(Denial::BadToken)
            }
            Self::Signed(verifier) => verifier.judge(token, now),
        }
    }
}

fn read_tokens(files: &[TokenFile]) -> Result<Vec<(TokenDigest, Scopes)>, AuthError> {
    let mut tokens: Vec<(TokenDigest, Scopes)> = Vec::with_capacity(files.len());
    for TokenFile { path, scopes } in files {
        let token = secret_file::read(path)?;
        let token = token.expose_secret();
        if tokens.iter().any(|(digest, _)| digest.is_of(token)) {
            return Err(AuthError::SameToken(path.clone()));
        }
        tokens.push((TokenDigest::of(token), *scopes));
    }
    Ok(tokens)
}
