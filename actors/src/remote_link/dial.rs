//! Establishes the socket to the backend (spec: remote control 5).

use awc::error::ConnectError;
use awc::http::Uri;
use awc::http::header::{self, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::socket::Socket;
use super::{Dial, DialError, RemoteLinkLimits};
use crate::network::Network;
use crate::protocol::body::without;
use crate::wire::handshake::{HandshakeError, Refusal, shake_hands};

/// Connects to the backend and upgrades, without redirects, subprotocols or extensions.
///
/// # Errors
/// See [`DialError`].
pub(super) async fn dial(
    network: &Network,
    dial: &Dial,
    cursor: Option<&str>,
    limits: &RemoteLinkLimits,
) -> Result<Socket, DialError> {
    let uri: Uri = dial.url.parse().map_err(failed)?;
    let bearer = format!("Bearer {}", dial.server_token.expose_secret());
    let name = BASE64.encode(&dial.server_name);
    let mut headers = vec![
        (header::AUTHORIZATION, bearer.as_str()),
        (HeaderName::from_static("x-codex-server-id"), &dial.server_id),
        (HeaderName::from_static("x-codex-name"), &name),
        (HeaderName::from_static("x-codex-protocol-version"), "3"),
        (HeaderName::from_static("x-codex-installation-id"), &dial.installation_id),
    ];
    match cursor {
        Some(cursor) if HeaderValue::from_str(cursor).is_err() => {
            log::warn!("the backend's cursor does not fit into a header and is not sent");
        }
        Some(cursor) => headers.push((HeaderName::from_static("x-codex-subscribe-cursor"), cursor)),
        None => {}
    }
    let connection =
        network.dialer(limits.dial_seconds.duration(), 1).dial(uri.clone()).await.map_err(|error| match error {
            ConnectError::Timeout => DialError::TimedOut,
            other => failed(other),
        })?;
    match shake_hands(connection, &uri, &headers).await {
        Ok((io, read)) => Ok(Socket { io, read }),
        Err(HandshakeError::Refused(refusal)) => Err(refused(*refusal, &dial.server_token, limits).await),
        Err(error) => Err(failed(format_args!("the backend does not upgrade: {error}"))),
    }
}

fn failed(error: impl std::fmt::Display) -> DialError {
    DialError::Failed(error.to_string())
}

async fn refused(refusal: Refusal, server_token: &SecretString, limits: &RemoteLinkLimits) -> DialError {
    let (status, headers) = (refusal.head.status.as_u16(), refusal.head.headers.clone());
    let mut body = Vec::new();
    if timeout(limits.refusal_seconds.duration(), refusal.read(limits.refusal_bytes, &mut body)).await.is_err() {
        log::debug!("the body of the backend's refusal did not come in time");
    }
    body.truncate(limits.refusal_bytes);
    let told = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    DialError::Refused {
        status,
        retry_after: told("retry-after"),
        body: without(server_token.expose_secret(), &body),
        request_id: told("x-request-id").or_else(|| told("x-oai-request-id")),
        cf_ray: told("cf-ray"),
    }
}
