//! Why a request did not become a WebSocket. The statuses and texts are the reference program's.

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, ContentType},
    },
};
use actix_web_actors::ws::HandshakeError;

/// A request that is answered and not upgraded.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
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
    /// What the WebSocket library finds wrong with a request that passed all of the above.
    #[error("{0}")]
    Handshake(#[from] HandshakeError),
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
            Self::Unmanaged | Self::UnknownPeer => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type(ContentType::plaintext());
        match self {
            Self::NotGet => response.insert_header((header::ALLOW, "GET")),
            // RFC 6455 section 4.4: the refusal names the version that would do.
            Self::OtherVersion => response.insert_header((header::SEC_WEBSOCKET_VERSION, "13")),
            _ => &mut response,
        };
        response.body(self.to_string())
    }
}
