//! The client's side of the protocol: encodes requests and decodes the server's messages.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::calls::Call;
use super::{ErrorCode, RequestId, ServerNotification};

/// Encodes a request for `call` as one line of JSON, including the newline.
///
/// # Errors
/// `params` cannot be encoded as JSON.
pub fn request_line<P: Serialize, R>(id: i64, call: &Call<P, R>, params: &P) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Request<'a, P> {
        id: i64,
        method: &'static str,
        params: &'a P,
    }
    let mut line = serde_json::to_string(&Request { id, method: call.method(), params })?;
    line.push('\n');
    Ok(line)
}

/// A message from the server.
#[derive(Debug)]
pub enum ServerMessage {
    /// The answer to a request.
    Answer {
        /// Id of the request; `None` if the server could not read the id.
        id: Option<RequestId>,
        /// The result or the error.
        outcome: Result<ResultText, Refused>,
    },
    /// A notification.
    Notification(ServerNotification),
    /// A request, which the server wants answered under its id.
    Request {
        /// Id for the answer.
        id: RequestId,
        /// What is asked.
        method: String,
        /// The params; `None` if there are none.
        params: Option<ParamsText>,
    },
    /// A message that this client does not know.
    Unknown,
}

/// A result that is not decoded yet.
#[derive(Debug)]
pub struct ResultText(Box<RawValue>);

impl ResultText {
    /// The JSON text as sent by the server.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Decodes the result.
    ///
    /// # Errors
    /// The text is not a valid `R`.
    pub fn read<R: DeserializeOwned>(&self) -> serde_json::Result<R> {
        serde_json::from_str(self.0.get())
    }
}

/// Params of a request of the server that are not decoded yet.
#[derive(Debug)]
pub struct ParamsText(Box<RawValue>);

impl ParamsText {
    /// Decodes the params.
    ///
    /// # Errors
    /// The text is not a valid `P`.
    pub fn read<P: DeserializeOwned>(&self) -> serde_json::Result<P> {
        serde_json::from_str(self.0.get())
    }
}

/// Encodes the answer to the server's request `id` as one line of JSON without a newline.
///
/// # Errors
/// `result` cannot be encoded as JSON.
pub fn answer_text(id: &RequestId, result: &impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Answer<'a, R> {
        id: &'a RequestId,
        result: &'a R,
    }
    serde_json::to_string(&Answer { id, result })
}

/// The error of a failed request.
#[derive(Clone, Debug, PartialEq, Deserialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct Refused {
    /// See [`super::ErrorCode`].
    pub code: i64,
    /// Description for a person.
    pub message: String,
    /// Details for a program.
    #[serde(default)]
    pub data: Option<Value>,
}

impl Refused {
    /// Whether the same request may succeed a little later.
    pub fn is_temporary(&self) -> bool {
        self.code == ErrorCode::Overloaded.number()
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Refused>,
}

/// Decodes a message from the server.
///
/// # Errors
/// The text is not a message.
pub fn decode_server(text: &str) -> serde_json::Result<ServerMessage> {
    let Envelope { id, method, params, result, error } = serde_json::from_str(text)?;
    Ok(match (id, method, result, error) {
        (Some(id), Some(method), ..) => ServerMessage::Request { id, method, params: params.map(ParamsText) },
        (None, Some(_), ..) => serde_json::from_str(text).map_or(ServerMessage::Unknown, ServerMessage::Notification),
        (id, None, _, Some(refused)) => ServerMessage::Answer { id, outcome: Err(refused) },
        (id, None, Some(result), None) => ServerMessage::Answer { id, outcome: Ok(ResultText(result)) },
        (_, None, None, None) => ServerMessage::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::super::thread::{Empty, ThreadId, ThreadLoadedListParams};
    use super::super::{Frame, RpcError, calls};
    use super::*;

    #[test]
    fn what_the_server_writes_can_be_read() {
        let id = RequestId::Integer(7);
        let read = |frame: Frame| decode_server(frame.text()).unwrap();
        match read(Frame::result(&id, &Empty {})) {
            ServerMessage::Answer { id: Some(RequestId::Integer(7)), outcome: Ok(result) } => {
                assert_eq!(result.read::<Empty>().unwrap(), Empty {});
            }
            other => panic!("{other:?}"),
        }
        match read(Frame::error(None, &RpcError::draining())) {
            ServerMessage::Answer { id: None, outcome: Err(refused) } => {
                assert_eq!(refused.code, -32600);
                assert_eq!(refused.data.unwrap()["reason"], "serverShuttingDown");
            }
            other => panic!("{other:?}"),
        }
        let closed = ServerNotification::ThreadClosed { thread_id: ThreadId::new() };
        match read(Frame::notification(&closed, 5)) {
            ServerMessage::Notification(read) => assert_eq!(read.method(), "thread/closed"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(decode_server(r#"{"method":"later/version"}"#).unwrap(), ServerMessage::Unknown));
        assert!(decode_server("nonsense").is_err());
    }

    #[test]
    fn a_request_of_the_server_is_answered_under_its_id() {
        let text = r#"{"method":"item/ask","id":3,"params":{"threadId":"t"}}"#;
        let ServerMessage::Request { id, method, params: Some(params) } = decode_server(text).unwrap() else {
            panic!()
        };
        assert_eq!((&id, method.as_str()), (&RequestId::Integer(3), "item/ask"));
        assert_eq!(params.read::<Value>().unwrap()["threadId"], "t");
        assert_eq!(answer_text(&id, &Empty {}).unwrap(), r#"{"id":3,"result":{}}"#);
    }

    #[test]
    fn a_request_is_one_line() {
        let line = request_line(1, &calls::THREAD_LOADED_LIST, &ThreadLoadedListParams::default()).unwrap();
        assert_eq!(line, "{\"id\":1,\"method\":\"thread/loaded/list\",\"params\":{\"cursor\":null,\"limit\":null}}\n");
    }
}
