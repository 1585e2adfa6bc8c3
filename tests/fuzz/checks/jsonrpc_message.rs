use app_server_actors::protocol::{ClientMessage, Frame, RequestId, RpcError, decode_within};
use serde_json::Value;

use super::LIMITS;

/// Any text is read as a message or refused with a JSON-RPC error, and a request's id comes back as it was.
pub fn jsonrpc_message(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let json: Result<Value, _> = serde_json::from_str(text);
    match decode_within(&LIMITS, text) {
        Ok(message) => {
            let id = match &message {
                ClientMessage::Request { id, .. } | ClientMessage::Answer { id, .. } => Some(id),
                ClientMessage::Notification(_) | ClientMessage::Unknown => None,
            };
            if let (Some(id), Ok(json)) = (id, &json) {
                assert_eq!(echoed(Some(id), &RpcError::overloaded())["id"], json["id"]);
            }
        }
        Err(refusal) => {
            let answer = echoed(refusal.id.as_ref(), &refusal.error);
            let code = answer["error"]["code"].as_i64().expect("an error has a code");
            match (&refusal.id, json) {
                (Some(_), Ok(json)) => {
                    assert_eq!(answer["id"], json["id"]);
                    assert!([-32601, -32602].contains(&code), "{answer}");
                }
                // A member that nobody reads may hold half of a surrogate pair.
                (Some(_), Err(_)) => {}
                (None, Ok(_)) => assert_eq!(code, -32600, "JSON is never called anything else: {text}"),
                (None, Err(_)) => assert!([-32700, -32600].contains(&code), "{answer}"),
            }
        }
    }
}

/// The error as its receiver reads it.
fn echoed(id: Option<&RequestId>, error: &RpcError) -> Value {
    let frame = Frame::error(id, error);
    assert!(!frame.text().contains(['\n', '\r']), "a frame is one line");
    serde_json::from_str(frame.text()).expect("a frame is JSON")
}
