//! Messages of the issuer of sign-ins, for a code that is typed on another device.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::Secret;

/// Asks for a code.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceCodeRequest {
    /// The OAuth client that the user signs in to.
    pub client_id: String,
}

/// The answer to a [`DeviceCodeRequest`].
#[derive(Clone, Debug, Deserialize)]
pub struct DeviceCodeIssued {
    device_auth_id: Secret,
    /// What the user types in.
    #[serde(alias = "usercode")]
    pub user_code: String,
    /// Seconds, as a number or as a text.
    #[serde(default)]
    interval: Value,
}

/// Asks whether the user has typed the code. HTTP 403 and 404 mean no.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceGrantRequest<'a> {
    device_auth_id: &'a Secret,
    user_code: &'a str,
}

/// What to get tokens with, after the user has typed the code.
#[derive(Clone, Debug, Deserialize)]
pub struct DeviceGrant {
    /// Traded for tokens, once.
    pub authorization_code: Secret,
    /// Proves that the trader is the one who asked.
    pub code_verifier: Secret,
}

impl DeviceCodeIssued {
    /// Asks whether the user has typed this code.
    pub fn question(&self) -> DeviceGrantRequest<'_> {
        DeviceGrantRequest { device_auth_id: &self.device_auth_id, user_code: &self.user_code }
    }

    /// The pause that the issuer wants between two such questions; five seconds if it does not say.
    pub fn interval(&self) -> Duration {
        let seconds = match &self.interval {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        Duration::from_secs(seconds.unwrap_or(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_may_be_a_text() {
        let pause = |interval: &str| {
            let text = format!(r#"{{"device_auth_id":"d","usercode":"AB-CD"{interval}}}"#);
            serde_json::from_str::<DeviceCodeIssued>(&text).unwrap().interval().as_secs()
        };
        assert_eq!((pause(r#","interval":"7""#), pause(r#","interval":7"#), pause("")), (7, 7, 5));
    }
}
