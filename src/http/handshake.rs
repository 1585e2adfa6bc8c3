//! Whether a request asks for a WebSocket.

use actix_web::{
    HttpRequest,
    http::{Method, Version, header},
};

use super::refusal::Refusal;

/// Checks that a request asks for a WebSocket. The order of the checks is the reference program's.
///
/// # Errors
/// It does not, or not as it should.
pub fn check_upgrade(request: &HttpRequest) -> Result<(), Refusal> {
    // The value of `Upgrade` is a list (RFC 9110 7.8).
    let says = |name, expected: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(expected)))
    };
    if request.method() != Method::GET {
        Err(Refusal::NotGet)
    } else if !request.head().upgrade() {
        Err(Refusal::NoUpgrade)
    } else if !says(header::UPGRADE, "websocket") {
        Err(Refusal::NotWebSocket)
    } else if !request.headers().contains_key(header::SEC_WEBSOCKET_KEY) {
        Err(Refusal::NoKey)
    } else if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        Err(Refusal::OtherVersion)
    } else if request.version() < Version::HTTP_11 {
        Err(Refusal::OldHttp)
    } else {
        Ok(())
    }
}
