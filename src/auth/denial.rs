//! Why a client is not let in. The texts of the 401s are the reference program's.

/// What the client is told, and nothing more: which part of a token was wrong would help only those who guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// No `Authorization` header.
    #[error("missing websocket bearer token")]
    Missing,
    /// Two of them, not `Bearer TOKEN`, or a token of more than 8 KiB.
    #[error("invalid authorization header")]
    BadHeader,
    /// Not the capability token.
    #[error("invalid websocket bearer token")]
    BadToken,
    /// Not a JWT with the right signature and form.
    #[error("invalid websocket jwt")]
    BadJwt,
    /// Past `exp`.
    #[error("expired websocket jwt")]
    Expired,
    /// Before `nbf`.
    #[error("websocket jwt is not valid yet")]
    NotYetValid,
    /// `iss`.
    #[error("websocket jwt issuer mismatch")]
    OtherIssuer,
    /// `aud`.
    #[error("websocket jwt audience mismatch")]
    OtherAudience,
    /// Too many wrong tokens from this address; this one was not even looked at.
    #[error("too many failed attempts from this address; wait before you retry")]
    TooManyFailures {
        /// Until the next token is looked at.
        retry_after_seconds: u64,
    },
}

impl Denial {
    /// Every reason's name in logs and metrics, in the order of [`Self::index`].
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

    /// This reason's place in [`Self::LABELS`].
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

    /// The value of `WWW-Authenticate` (RFC 6750 section 3): no error code for who sent no credentials at all. `None`
    /// for what no other credentials would change.
    pub fn challenge(self) -> Option<&'static str> {
        match self {
            Self::Missing => Some(r#"Bearer realm="codex-app-server""#),
            Self::BadHeader => Some(r#"Bearer realm="codex-app-server", error="invalid_request""#),
            Self::TooManyFailures { .. } => None,
            _ => Some(r#"Bearer realm="codex-app-server", error="invalid_token""#),
        }
    }
}
