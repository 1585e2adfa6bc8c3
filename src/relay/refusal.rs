//! Why a request is refused: a status, and a JSON object that says why.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    error::JsonPayloadError,
    http::{StatusCode, header},
};
use app_server_actors::relay::RelayRefusal;
use serde_json::json;

use crate::http::Refusal;

/// `Retry-After` of a relay that is busy, in seconds.
const BUSY_SECONDS: u64 = 2;

/// A refusal.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// What the listener refuses.
    #[error(transparent)]
    Listener(#[from] Refusal),
    /// What the relay refuses.
    #[error(transparent)]
    Relay(#[from] RelayRefusal),
    /// A page of another origin asks, or a browser that does not say which.
    #[error("this relay answers its own page only; open it at the address of the relay")]
    OtherOrigin,
    /// There is no token in the request.
    #[error("a token is missing: {0}")]
    NoToken(&'static str),
    /// Too many codes were tried from this address.
    #[error("too many codes were tried from this address; wait {0} s")]
    TooManyCodes(u64),
    /// The body is not what it should be.
    #[error("{0}")]
    Body(String),
    /// There is nothing at this address.
    #[error("there is nothing at this address")]
    NoRoute,
}

impl Refused {
    /// The refusal of a body that cannot be read.
    pub fn of_json(error: JsonPayloadError, _: &HttpRequest) -> actix_web::Error {
        Self::Body(format!("the body cannot be read: {error}")).into()
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Listener(refusal) => refusal.status_code(),
            Self::Relay(refusal) => match refusal {
                RelayRefusal::Unauthorized => StatusCode::UNAUTHORIZED,
                RelayRefusal::NoServer | RelayRefusal::NotFound(_) | RelayRefusal::WrongCode => StatusCode::NOT_FOUND,
                RelayRefusal::Invalid(_) => StatusCode::BAD_REQUEST,
                RelayRefusal::Full => StatusCode::CONFLICT,
                RelayRefusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
                RelayRefusal::Failed => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::NoToken(_) => StatusCode::UNAUTHORIZED,
            Self::TooManyCodes(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Body(_) => StatusCode::BAD_REQUEST,
            Self::NoRoute => StatusCode::NOT_FOUND,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Listener(refusal) = self {
            return refusal.error_response();
        }
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::TooManyCodes(seconds) => response.insert_header((header::RETRY_AFTER, *seconds)),
            Self::Relay(RelayRefusal::Busy) => response.insert_header((header::RETRY_AFTER, BUSY_SECONDS)),
            Self::Relay(RelayRefusal::Unauthorized) | Self::NoToken(_) => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"relay\""))
            }
            _ => &mut response,
        };
        response.json(json!({"detail": self.to_string()}))
    }
}
