//! Decodes messages of clients: requests, notifications, and answers to server requests (spec: local transports 7.1).

use std::borrow::Cow;
use std::fmt::Display;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::nesting::{has_more_values_than, is_deeper_than};
use super::quoted::abridged;
use super::server_request::ClientAnswer;
use super::{ClientNotification, ClientRequest, ErrorCode, Method, RequestId, RpcError};
use crate::limits::Limits;

/// A message from a client.
#[derive(Debug)]
pub enum ClientMessage {
    /// A request, which gets exactly one answer.
    Request {
        /// The id, returned in the answer.
        id: RequestId,
        /// The method's row in the table.
        method: &'static Method,
        /// The typed request.
        request: ClientRequest,
    },
    /// A notification, which gets no answer.
    Notification(ClientNotification),
    /// The answer to a server request.
    Answer {
        /// Id of the server request.
        id: RequestId,
        /// The answer, which is read once the request is found.
        answer: ClientAnswer,
    },
    /// An unknown notification, or only white space; it is ignored.
    Unknown,
}

/// Why a message was rejected, and the request to answer.
#[derive(Debug)]
pub struct Refusal {
    /// Id of the request; `None` if there is no valid one.
    pub id: Option<RequestId>,
    /// The method, if it is in the table.
    pub method: Option<&'static Method>,
    /// The error.
    pub error: RpcError,
}

/// Members stay raw until the kind of the message is known. A member that is present but null is `Some`.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Name<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Borrowed from the message if possible; an `Option<Cow<str>>` would always copy.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Decodes a message of a client within `limits` on nesting, on the number of values and on the length of the id. The
/// error is the answer.
///
/// # Errors
/// -32600 for a message above the limits, and the errors of [`decode`].
pub fn decode_within(limits: &Limits, text: &str) -> Result<ClientMessage, Refusal> {
    let nesting = limits.json_nesting_levels;
    if is_deeper_than(nesting, text) {
        return Err(refusal(format_args!("Invalid request: arrays and objects may be nested {nesting} levels deep")));
    }
    let values = limits.json_values;
    if has_more_values_than(values, text) {
        return Err(refusal(format_args!("Invalid request: a message may contain {values} values")));
    }
    // Read with its long strings cut first, because the parser quotes what does not fit. The rest is read only if it fits.
    let refused = abridged(text).and_then(|short| decode(&short).err());
    let decoded = match refused {
        Some(refusal) if refusal.error.code != ErrorCode::Parse => Err(refusal),
        _ => decode(text),
    };
    let id = match &decoded {
        Ok(ClientMessage::Request { id, .. } | ClientMessage::Answer { id, .. }) => Some(id),
        Ok(_) => None,
        Err(refusal) => refusal.id.as_ref(),
    };
    let most = limits.request_id_bytes;
    if id.is_some_and(|id| id.text_bytes() > most) {
        return Err(refusal(format_args!("Invalid request: `id` may have {most} bytes")));
    }
    decoded
}

/// Decodes a message. The error is the answer.
///
/// Unknown members of params are skipped and only need to be JSON in outline: half a surrogate pair is accepted there
/// and is an error elsewhere. `\u0000` is an ordinary character.
///
/// # Errors
/// -32700 for text that is not JSON; -32600 for JSON that is not a single message, has a duplicate member, or has an
/// invalid id; -32601 for an unknown method; -32602 for invalid params.
pub fn decode(text: &str) -> Result<ClientMessage, Refusal> {
    match text.trim_start().chars().next() {
        None => return Ok(ClientMessage::Unknown),
        // Checked before serde, which would read an array as members in order.
        Some('[') => {
            return Err(refusal("Invalid request: batches are not supported, send one message at a time"));
        }
        Some(_) => {}
    }
    let envelope: Envelope<'_> =
        serde_json::from_str(text).map_err(|e| Refusal { id: None, method: None, error: malformed(&e) })?;
    let Some(Name(name)) = envelope.method else {
        let answer = match (envelope.result, envelope.error) {
            (Some(result), _) => Some(ClientAnswer::Result(result.to_owned())),
            (None, error) => error.map(|error| ClientAnswer::Error(error.to_owned())),
        };
        let (Some(raw_id), Some(answer)) = (envelope.id, answer) else {
            let text = "Invalid request: a message needs a `method`, or an `id` with a `result` or an `error`";
            return Err(refusal(text));
        };
        return Ok(ClientMessage::Answer { id: request_id(raw_id)?, answer });
    };
    let Some(raw_id) = envelope.id else {
        return Ok(match name.as_ref() {
            "initialized" => ClientMessage::Notification(ClientNotification::Initialized),
            _ => ClientMessage::Unknown,
        });
    };
    let id = request_id(raw_id)?;
    let Some(method) = Method::find(&name) else {
        return Err(Refusal { id: Some(id), method: None, error: Method::unknown(&name) });
    };
    match method.parse(envelope.params) {
        Ok(request) => Ok(ClientMessage::Request { id, method, request }),
        Err(error) => Err(Refusal { id: Some(id), method: Some(method), error }),
    }
}

fn request_id(raw: &RawValue) -> Result<RequestId, Refusal> {
    let raw = raw.get();
    // Distinguished here, because serde would first read it as a generic value.
    let id = match raw.starts_with('"') {
        true => serde_json::from_str(raw).map(RequestId::String),
        false => serde_json::from_str(raw).map(RequestId::Integer),
    };
    id.map_err(|_| refusal("Invalid request: `id` must be a string or a signed 64-bit integer"))
}

/// The refusal of a message without a valid id.
fn refusal(text: impl Display) -> Refusal {
    Refusal { id: None, method: None, error: RpcError::invalid_request(text) }
}

fn malformed(error: &serde_json::Error) -> RpcError {
    match error.classify() {
        serde_json::error::Category::Data => RpcError::invalid_request(format_args!("Invalid request: {error}")),
        _ => RpcError::new(ErrorCode::Parse, format_args!("Parse error: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(text: &str) -> Result<(), i64> {
        decode_within(&Limits::tiny(), text).map(|_| ()).map_err(|refusal| {
            assert_eq!(refusal.id, None, "a long id is not echoed");
            refusal.error.code.number()
        })
    }

    fn refused(text: &str) -> (Option<RequestId>, i64) {
        let refusal = decode(text).unwrap_err();
        (refusal.id, refusal.error.code.number())
    }

    #[test]
    fn both_kinds_of_id_are_taken_and_no_other() {
        for (raw, id) in [
            ("0", RequestId::Integer(0)),
            ("-9223372036854775808", RequestId::Integer(i64::MIN)),
            ("\"\"", RequestId::String("".into())),
            ("\"7\"", RequestId::String("7".into())),
        ] {
            match decode(&format!(r#"{{"id":{raw},"method":"thread/loaded/list"}}"#)) {
                Ok(ClientMessage::Request { id: read, .. }) => assert_eq!(read, id),
                other => panic!("{raw}: {other:?}"),
            }
        }
        for raw in ["null", "1.0", "true", "[]", "{}", "9223372036854775808"] {
            assert_eq!(refused(&format!(r#"{{"id":{raw},"method":"thread/loaded/list"}}"#)), (None, -32600), "{raw}");
        }
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        for text in ["garbage", "{", r#"{"id":1"#, r#"{"id":1}{"id":2}"#, r#"{"method":"\ud800","id":1}"#] {
            assert_eq!(refused(text), (None, -32700), "{text}");
        }
        for text in
            ["[]", "[1,\"initialize\",{}]", "5", "{}", r#"{"id":1,"id":2,"method":"x"}"#, r#"{"method":3,"id":1}"#]
        {
            assert_eq!(refused(text), (None, -32600), "{text}");
        }
    }

    #[test]
    fn unknown_methods_and_wrong_params_are_answered_to_their_id() {
        let id = Some(RequestId::Integer(1));
        assert_eq!(refused(r#"{"id":1,"method":"no/such"}"#), (id.clone(), -32601));
        assert_eq!(refused(r#"{"id":1,"method":"thread/read"}"#), (id.clone(), -32602));
        assert_eq!(refused(r#"{"id":1,"method":"thread/read","params":["x"]}"#), (id, -32602));
    }

    #[test]
    fn notifications_and_answers() {
        let read = |text: &str| decode(text).unwrap();
        assert!(matches!(
            read(r#"{"jsonrpc":"2.0","method":"initialized"}"#),
            ClientMessage::Notification(ClientNotification::Initialized)
        ));
        for nothing in [r#"{"method":"no/such"}"#, "", " \n"] {
            assert!(matches!(read(nothing), ClientMessage::Unknown), "{nothing}");
        }
        assert!(matches!(
            read(r#"{"id":0,"result":{}}"#),
            ClientMessage::Answer { id: RequestId::Integer(0), answer: ClientAnswer::Result(_) }
        ));
        assert!(matches!(read(r#"{"id":0,"error":{}}"#), ClientMessage::Answer { answer: ClientAnswer::Error(_), .. }));
    }

    #[test]
    fn nesting_and_ids_are_bounded() {
        let nested = |levels: usize| {
            let (open, close) = ("[".repeat(levels - 2), "]".repeat(levels - 2));
            format!(r#"{{"id":1,"method":"thread/loaded/list","params":{{"unknown":{open}{close}}}}}"#)
        };
        assert_eq!(within(&nested(16)), Ok(()));
        assert_eq!(within(&nested(17)), Err(-32600));
        assert_eq!(within(&"{\"a\":".repeat(100_000)), Err(-32600));
        let with_id = |bytes: usize, method: &str| format!(r#"{{"id":"{}","method":"{method}"}}"#, "x".repeat(bytes));
        assert_eq!(within(&with_id(64, "thread/loaded/list")), Ok(()));
        assert_eq!(within(&with_id(65, "thread/loaded/list")), Err(-32600));
        assert_eq!(within(&with_id(65, "no/such")), Err(-32600));
        assert_eq!(within(&format!(r#"{{"id":"{}","result":1}}"#, "x".repeat(65))), Err(-32600));
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        let with = |zeros: usize| {
            let values = vec!["0"; zeros].join(",");
            format!(r#"{{"id":1,"method":"thread/loaded/list","params":{{"unknown":[{values}]}}}}"#)
        };
        assert_eq!(within(&with(1020)), Ok(()));
        assert_eq!(within(&with(1021)), Err(-32600));
    }

    #[test]
    fn doubtful_json_is_decided() {
        let id = Some(RequestId::Integer(1));
        let with_params = |params: &str| format!(r#"{{"id":1,"method":"thread/read","params":{params}}}"#);
        let thread = "\"threadId\":\"0197e4c4-0000-7000-8000-000000000000\"";
        assert!(decode(&with_params(&format!("{{{thread}}}"))).is_ok());
        let twice = with_params(&format!("{{{thread},{thread}}}"));
        assert_eq!(refused(&twice), (id.clone(), -32602), "a member twice");
        let surrogate = with_params(r#"{"threadId":"\ud800"}"#);
        assert_eq!(refused(&surrogate), (id, -32602), "half of a pair, in a member that is read");
        let unread = with_params(&format!(r#"{{{thread},"unknown":"\ud800"}}"#));
        assert!(decode(&unread).is_ok(), "half of a pair, in a member that nobody reads");
        assert_eq!(refused(r#"{"id":"\ud800","method":"thread/loaded/list"}"#), (None, -32600));
        let nul = with_params(r#"{"threadId":"a\u0000b"}"#);
        assert!(decode(&nul).is_ok(), "a character like any other");
        assert_eq!(refused("{\"id\":1,\"method\":\"a\0b\"}"), (None, -32700), "a bare control character");
        match decode(r#"{"id":"a\u0000b","method":"thread/loaded/list"}"#) {
            Ok(ClientMessage::Request { id, .. }) => assert_eq!(id, RequestId::String("a\0b".into())),
            other => panic!("{other:?}"),
        }
    }
}
