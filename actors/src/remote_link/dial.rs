//! From a URL to a socket (spec: remote control 5).

use std::net::{IpAddr, SocketAddr};

use actix_http::ws::hash_key;
use actix_http::{ConnectionType, RequestHead, ResponseHead};
use actix_web::dev::Service;
use awc::error::{ConnectError, SendRequestError};
use awc::http::header::{self, HeaderName, HeaderValue};
use awc::http::{Method, StatusCode, Uri, Version};
use awc::{Connect, Connector};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::socket::Socket;
use super::{Dial, DialError, RemoteLinkLimits};

/// Connects to the backend and upgrades. Follows no redirect, and asks for no subprotocol and no extension.
///
/// # Errors
/// See [`DialError`].
pub(super) async fn dial(dial: &Dial, cursor: Option<&str>, limits: &RemoteLinkLimits) -> Result<Socket, DialError> {
    let uri: Uri = dial.url.parse().map_err(failed)?;
    let (head, key) = request(dial, uri.clone(), cursor)?;
    let connector = Connector::new()
        .timeout(limits.dial())
        .handshake_timeout(limits.dial())
        // There are no upgrades in HTTP/2, and the backend would choose it.
        .max_http_version(Version::HTTP_11)
        .finish();
    let addr = literal(&uri);
    let connection = connector.call(Connect { uri, addr }).await.map_err(|error| match error {
        ConnectError::Timeout => DialError::TimedOut,
        other => failed(other),
    })?;
    let (answer, framed) = connection.open_tunnel(head).await.map_err(|error| match error {
        SendRequestError::Timeout => DialError::TimedOut,
        other => failed(other),
    })?;
    if answer.status != StatusCode::SWITCHING_PROTOCOLS {
        let mut payload = framed.into_map_codec(|codec| codec.into_payload_codec());
        let mut body = Vec::new();
        // A body that breaks off is told as far as it came.
        while body.len() < limits.refusal_bytes
            && let Some(Ok(Some(bytes))) = payload.next().await
        {
            body.extend_from_slice(&bytes);
        }
        body.truncate(limits.refusal_bytes);
        return Err(refusal(&answer, &body));
    }
    check(&answer, &key)?;
    let parts = framed.into_parts();
    Ok(Socket { io: Box::new(parts.io), read: parts.read_buf.freeze() })
}

fn failed(error: impl std::fmt::Display) -> DialError {
    DialError::Failed(error.to_string())
}

/// The connector cannot resolve an address in brackets.
fn literal(uri: &Uri) -> Option<SocketAddr> {
    let address: IpAddr = uri.host()?.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("wss") { 443 } else { 80 });
    Some(SocketAddr::new(address, port))
}

/// The head of the request, complete, and the key that its answer must prove to have seen.
fn request(dial: &Dial, uri: Uri, cursor: Option<&str>) -> Result<(RequestHead, String), DialError> {
    let host = uri.authority().map(ToString::to_string).ok_or_else(|| failed("the URL has no host"))?;
    let key = BASE64.encode(Uuid::new_v4().as_bytes());
    let mut head = RequestHead::default();
    head.method = Method::GET;
    head.version = Version::HTTP_11;
    head.uri = uri;
    head.set_connection_type(ConnectionType::Upgrade);
    let mut bearer = value(&format!("Bearer {}", dial.server_token.expose_secret()))?;
    bearer.set_sensitive(true);
    for (name, value) in [
        (header::HOST, value(&host)?),
        (header::UPGRADE, HeaderValue::from_static("websocket")),
        (header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (header::SEC_WEBSOCKET_KEY, value(&key)?),
        (header::AUTHORIZATION, bearer),
        (HeaderName::from_static("x-codex-server-id"), value(&dial.server_id)?),
        (HeaderName::from_static("x-codex-name"), value(&BASE64.encode(&dial.server_name))?),
        (HeaderName::from_static("x-codex-protocol-version"), HeaderValue::from_static("3")),
        (HeaderName::from_static("x-codex-installation-id"), value(&dial.installation_id)?),
    ] {
        head.headers.insert(name, value);
    }
    match cursor.map(HeaderValue::from_str) {
        Some(Ok(cursor)) => {
            head.headers.insert(HeaderName::from_static("x-codex-subscribe-cursor"), cursor);
        }
        Some(Err(_)) => log::warn!("the backend's cursor fits into no header, so it is told none"),
        None => {}
    }
    Ok((head, key))
}

/// Says nothing of the value, which may be the token.
fn value(text: &str) -> Result<HeaderValue, DialError> {
    HeaderValue::from_str(text).map_err(|_| failed("the token or a name fits into no header"))
}

/// The answer must be one to our upgrade (RFC 6455 4.1).
fn check(answer: &ResponseHead, key: &str) -> Result<(), DialError> {
    let says = |name, expected: &str| {
        (answer.headers.get_all(name).filter_map(|value| value.to_str().ok()))
            .flat_map(|value| value.split(','))
            .any(|part| part.trim().eq_ignore_ascii_case(expected))
    };
    let proof = answer.headers.get(header::SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if !says(header::UPGRADE, "websocket") || !says(header::CONNECTION, "upgrade") {
        return Err(failed("the backend's upgrade is not to WebSocket"));
    }
    if proof != Some(hash_key(key.as_bytes()).as_slice()) {
        return Err(failed("the backend's upgrade answers another request"));
    }
    let unasked = [header::SEC_WEBSOCKET_EXTENSIONS, header::SEC_WEBSOCKET_PROTOCOL];
    if unasked.iter().any(|name| answer.headers.contains_key(name)) {
        return Err(failed("the backend's upgrade chose an extension or a protocol that nobody offered"));
    }
    Ok(())
}

fn refusal(answer: &ResponseHead, body: &[u8]) -> DialError {
    let told =
        |name: &str| answer.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    DialError::Refused {
        status: answer.status.as_u16(),
        retry_after: told("retry-after"),
        body: String::from_utf8_lossy(body).into_owned(),
        request_id: told("x-request-id").or_else(|| told("x-oai-request-id")),
        cf_ray: told("cf-ray"),
    }
}
