//! Why a request is refused. Status and text are those of the reference program if it refuses the request, too.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
};
use actix_web_actors::ws::HandshakeError;

use app_server_actors::protocol::scope::Scope;

use super::crowd::Full;
use crate::auth::Denial;

/// `Retry-After` for too many connections, in seconds.
const RETRY_WHEN_FULL_SECONDS: u64 = 10;

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The request has an `Origin` header.
    #[error("")]
    WebPage,
    /// The request head is too long.
    #[error("the head of the request is too long; see the setting http.request_head_bytes")]
    LongHead,
    /// No `Host` header, several, or an invalid one.
    #[error("the request must have one Host header with a host name or address")]
    BadHost,
    /// The host is not served.
    #[error("this host name is not served; use an address of this machine, or add the name to http.allowed_hosts")]
    OtherHost,
    /// The method is not GET.
    #[error("Request method must be `GET`")]
    NotGet,
    /// No `Connection: upgrade`.
    #[error("Connection header did not include 'upgrade'")]
    NoUpgrade,
    /// No `Upgrade: websocket`.
    #[error("`Upgrade` header did not include 'websocket'")]
    NotWebSocket,
    /// No `Sec-WebSocket-Key`.
    #[error("`Sec-WebSocket-Key` header missing")]
    NoKey,
    /// No `Sec-WebSocket-Version: 13`.
    #[error("`Sec-WebSocket-Version` header did not include '13'")]
    OtherVersion,
    /// HTTP/1.0, which has no upgrades (RFC 6455 4.2.1).
    #[error("an upgrade needs HTTP/1.1")]
    OldHttp,
    /// A fault found by the WebSocket library after all checks above.
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    /// There are too many connections.
    #[error(transparent)]
    Full(#[from] Full),
    /// The authentication failed.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The daemon manager asks this server to end, but does not manage it.
    #[error("unmanaged server")]
    Unmanaged,
    /// The token does not allow it.
    #[error("this needs a token with the scope `{0}`")]
    OutOfScope(Scope),
    /// The connection was not checked when it was accepted.
    #[error("unknown peer")]
    UnknownPeer,
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotGet => StatusCode::METHOD_NOT_ALLOWED,
            Self::LongHead => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Denied(Denial::TooManyFailures { .. }) => StatusCode::TOO_MANY_REQUESTS,
            Self::Denied(_) => StatusCode::UNAUTHORIZED,
            Self::Full(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::WebPage | Self::Unmanaged | Self::OutOfScope(_) | Self::UnknownPeer => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if matches!(self, Self::WebPage) {
            return response.finish();
        }
        response.content_type(ContentType::plaintext());
        match self {
            Self::Denied(Denial::TooManyFailures { retry_after_seconds }) => {
                response.insert_header((header::RETRY_AFTER, *retry_after_seconds))
            }
            Self::Denied(denial) => match denial.challenge() {
                Some(challenge) => response.insert_header((header::WWW_AUTHENTICATE, challenge)),
                None => &mut response,
            },
            Self::Full(_) => response.insert_header((header::RETRY_AFTER, RETRY_WHEN_FULL_SECONDS)),
            Self::NotGet => response.insert_header((header::ALLOW, "GET")),
            // The refusal names the supported version (RFC 6455 4.4).
            Self::OtherVersion => response.insert_header((header::SEC_WEBSOCKET_VERSION, "13")),
            _ => &mut response,
        };
        response.body(self.to_string())
    }
}
