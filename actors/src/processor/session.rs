//! The state of one initialized connection.

use std::sync::Arc;

use crate::limits::Limits;
use crate::protocol::RpcError;
use crate::protocol::initialize::InitializeParams;

#[derive(Debug)]
pub(super) struct Session {
    pub(super) client_name: Arc<str>,
    pub(super) experimental_api: bool,
}

impl Session {
    /// Opens the session, or returns the refusal (spec: local transports 7.2).
    pub(super) fn open(params: &InitializeParams, limits: &Limits, already: bool) -> Result<Self, RpcError> {
        if already {
            return Err(RpcError::invalid_request("Already initialized"));
        }
        let name = &params.client_info.name;
        if !is_header_value(name) {
            return Err(RpcError::invalid_request(format_args!(
                "Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value."
            )));
        }
        let most = limits.client_info_bytes;
        if name.len() > most || params.client_info.version.len() > most {
            return Err(RpcError::invalid_request(format_args!(
                "clientInfo.name and version may have {most} bytes each"
            )));
        }
        let experimental_api = params.capabilities.as_ref().is_some_and(|c| c.experimental_api);
        Ok(Self { client_name: name.as_str().into(), experimental_api })
    }
}

/// Visible ASCII, spaces, tabs and non-ASCII bytes (RFC 9110 5.5), because the name becomes part of a user agent
/// header.
fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_fit_a_header() {
        for good in ["codex-tui", "Zed 1.2", "Büro", "a\tb", ""] {
            assert!(is_header_value(good), "{good:?}");
        }
        for bad in ["a\nb", "a\rb", "\0", "\u{7f}"] {
            assert!(!is_header_value(bad), "{bad:?}");
        }
    }
}
