//! Establishes the socket to the backend (spec: remote control 5).

use actix_rt::net::TcpStream;
use actix_tls::connect::{ConnectError as TcpConnectError, ConnectInfo, Connection};
use actix_web::dev::{Service, fn_service};
use awc::error::ConnectError;
use awc::http::header::{self, HeaderName, HeaderValue};
use awc::http::{Uri, Version};
use awc::{Connect, Connector};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::socket::Socket;
use super::{Dial, DialError, RemoteLinkLimits};
use crate::protocol::body::without;
use crate::wire::handshake::{HandshakeError, Refusal, shake_hands};

/// Connects to the backend and upgrades, without redirects, subprotocols or extensions.
///
/// # Errors
/// See [`DialError`].
pub(super) async fn dial(dial: &Dial, cursor: Option<&str>, limits: &RemoteLinkLimits) -> Result<Socket, DialError> {
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
    let connector = Connector::new()
        .connector(fn_service(connect))
        .timeout(limits.dial_seconds.duration())
        .handshake_timeout(limits.dial_seconds.duration())
        // HTTP/2 has no upgrades, and the backend would select it.
        .max_http_version(Version::HTTP_11)
        .finish();
    let connection = connector.call(Connect { uri: uri.clone(), addr: None }).await.map_err(|error| match error {
        ConnectError::Timeout => DialError::TimedOut,
        other => failed(other),
    })?;
    match shake_hands(Box::new(connection), &uri, &headers).await {
        Ok((io, read)) => Ok(Socket { io, read }),
        Err(HandshakeError::Refused(refusal)) => Err(refused(*refusal, &dial.server_token, limits).await),
        Err(error) => Err(failed(format_args!("the backend does not upgrade: {error}"))),
    }
}

fn failed(error: impl std::fmt::Display) -> DialError {
    DialError::Failed(error.to_string())
}

/// Opens the TCP connection. awc's own connector leaves Nagle's algorithm on and does not accept an address in
/// brackets.
async fn connect(info: ConnectInfo<Uri>) -> Result<Connection<Uri, TcpStream>, TcpConnectError> {
    let uri = info.request().clone();
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    let stream = TcpStream::connect((host, port)).await.map_err(TcpConnectError::Io)?;
    stream.set_nodelay(true).map_err(TcpConnectError::Io)?;
    Ok(Connection::new(uri, stream))
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
