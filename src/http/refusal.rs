//! Why a request is refused. Where the reference program refuses it too, the status and the text are its own.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
};
use actix_web_actors::ws::HandshakeError;

use super::crowd::Full;
use crate::auth::Denial;

/// Seconds after which a client that finds no place may try again.
const RETRY_WHEN_FULL_SECONDS: u64 = 10;

/// A request that is answered and goes no further.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It has an `Origin`.
    #[error("")]
    WebPage,
    /// Its head is longer than the setting allows.
    #[error("the head of the request is too long; see the setting http.request_head_bytes")]
    LongHead,
    /// No `Host`, more than one, or something that is no host.
    #[error("the request must have one Host header with a host name or address")]
    BadHost,
    /// Not a host that is served.
    #[error("this host is not served here; connect by an address of this machine, or list it in http.allowed_hosts")]
    OtherHost,
    /// Another method.
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
    /// HTTP/1.0, which knows no upgrades (RFC 6455 section 4.2.1).
    #[error("an upgrade needs HTTP/1.1")]
    OldHttp,
    /// What the WebSocket library finds wrong with a request that passed all of the above.
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
    /// There is no place for its connection.
    #[error(transparent)]
    Full(#[from] Full),
    /// Its token does not let it in.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The daemon manager asks for an end, and this server is not managed by it.
    #[error("unmanaged server")]
    Unmanaged,
    /// Nobody looked at this connection when it was made, so it may not come in.
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
            Self::WebPage | Self::Unmanaged | Self::UnknownPeer => StatusCode::FORBIDDEN,
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
            // RFC 6455 section 4.4: the refusal names the version that would do.
            Self::OtherVersion => response.insert_header((header::SEC_WEBSOCKET_VERSION, "13")),
            _ => &mut response,
        };
        response.body(self.to_string())
    }
}
