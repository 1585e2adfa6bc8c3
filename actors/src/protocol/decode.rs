//! Reading what a client sends: a request, a notification, or the answer to a server request (spec: local transports 7.1).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{ClientNotification, ClientRequest, ErrorCode, Method, RequestId, RpcError};

/// One message of a client.
#[derive(Debug)]
pub enum ClientMessage {
    /// Wants exactly one answer.
    Request {
        /// Echoed in the answer.
        id: RequestId,
        /// The row of the method table.
        method: &'static Method,
        /// The typed params.
        request: ClientRequest,
    },
    /// Wants no answer.
    Notification(ClientNotification),
    /// The answer to a server request. What it says is read once the pending request is found.
    Answer {
        /// The id of the server request.
        id: RequestId,
    },
    /// A notification that this server does not know; nothing follows from it.
    Unknown,
}

/// Why a message was not taken, and whom to tell.
#[derive(Debug)]
pub struct Refusal {
    /// The id of the request; `None` where there was no usable one.
    pub id: Option<RequestId>,
    /// What is wrong.
    pub error: RpcError,
}

/// Members are kept raw until it is known what the message is. A member that is present but null is `Some`.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Reads one message. The error says what to answer; the connection lives on.
///
/// # Errors
/// -32700 for text that is not JSON; -32600 for JSON that is no single message or whose id is unusable; -32601 for an
/// unknown method; -32602 for params that do not fit it.
pub fn decode(text: &str) -> Result<ClientMessage, Refusal> {
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|e| Refusal { id: None, error: malformed(text, &e) })?;
    let Some(name) = envelope.method else {
        let answered = envelope.result.or(envelope.error).and(envelope.id);
        let raw_id = answered.ok_or_else(|| {
            refusal("Invalid request: a message needs a `method`, or an `id` with a `result` or an `error`")
        })?;
        return Ok(ClientMessage::Answer { id: request_id(raw_id)? });
    };
    let Some(raw_id) = envelope.id else {
        return Ok(match name.as_ref() {
            "initialized" => ClientMessage::Notification(ClientNotification::Initialized),
            _ => ClientMessage::Unknown,
        });
    };
    let id = request_id(raw_id)?;
    let parsed = match Method::find(&name) {
        Some(method) => method.parse(envelope.params).map(|request| (method, request)),
        None => Err(Method::unknown(&name)),
    };
    match parsed {
        Ok((method, request)) => Ok(ClientMessage::Request { id, method, request }),
        Err(error) => Err(Refusal { id: Some(id), error }),
    }
}

fn request_id(raw: &RawValue) -> Result<RequestId, Refusal> {
    serde_json::from_str(raw.get())
        .map_err(|_| refusal("Invalid request: `id` must be a string or a signed 64-bit integer"))
}

/// A refusal of a message without a usable id.
fn refusal(text: &str) -> Refusal {
    Refusal { id: None, error: RpcError::invalid_request(text) }
}

fn malformed(text: &str, error: &serde_json::Error) -> RpcError {
    if text.trim_start().starts_with('[') {
        return RpcError::invalid_request("Invalid request: batches are not supported, send one message at a time");
    }
    match error.classify() {
        serde_json::error::Category::Data => RpcError::invalid_request(format!("Invalid request: {error}")),
        _ => RpcError::new(ErrorCode::Parse, format!("Parse error: {error}")),
    }
}
