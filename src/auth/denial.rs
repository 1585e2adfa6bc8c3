//! Why a client is refused. The texts of 401 answers are the reference program's.

/// All that the client learns. To say which part of a token is wrong would only help attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No `Authorization` header.
    #[error("missing websocket bearer token")]
    Missing,
    /// Two headers, not `Bearer TOKEN`, or a token of more than 8 KiB.
    #[error("invalid authorization header")]
    BadHeader,
    /// A wrong capability token.
    #[error("invalid websocket bearer token")]
    BadToken,
    /// A JWT with an invalid signature or form.
    #[error("invalid websocket jwt")]
    BadJwt,
    /// `exp` has passed.
    #[error("expired websocket jwt")]
    Expired,
    /// `nbf` has not been reached.
    #[error("websocket jwt is not valid yet")]
    NotYetValid,
    /// Wrong `iss`.
    #[error("websocket jwt issuer mismatch")]
    OtherIssuer,
    /// Wrong `aud`.
    #[error("websocket jwt audience mismatch")]
    OtherAudience,
    /// Too many wrong tokens from this address; this one was not checked.
    #[error("too many failed attempts from this address; wait before you retry")]
    TooManyFailures {
        /// Time until the next token is checked.
        retry_after_seconds: u64,
    },
}

impl Denial {
    /// The names of the reasons in logs and metrics, in the order of [`Self::index`].
    pub const LABELS: [&str; 9] = [
        "missing",
        "invalid_header",
        "invalid_token",
        "invalid_jwt",
        "expired",
        "not_yet_valid",
        "issuer_mismatch",
        "audience_mismatch",
        "too_many_failures",
    ];

    /// The index of this reason in [`Self::LABELS`].
    pub fn index(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::BadHeader => 1,
            Self::BadToken => 2,
            Self::BadJwt => 3,
            Self::Expired => 4,
            Self::NotYetValid => 5,
            Self::OtherIssuer => 6,
            Self::OtherAudience => 7,
            Self::TooManyFailures { .. } => 8,
        }
    }

    /// The name of this reason in logs and metrics.
    pub fn label(self) -> &'static str {
        Self::LABELS.get(self.index()).copied().unwrap_or_default()
    }

    /// The value of `WWW-Authenticate` (RFC 6750 3), without an error code if no credentials were sent. `None` if other
    /// credentials would not help.
    pub fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some(r#"Bearer realm="codex-app-server""#),
            Self::BadHeader => Some(r#"Bearer realm="codex-app-server", error="invalid_request""#),
            Self::TooManyFailures { .. } => None,
            _ => Some(r#"Bearer realm="codex-app-server", error="invalid_token""#),
        }
    }
}
