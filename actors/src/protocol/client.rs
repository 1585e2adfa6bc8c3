//! The protocol from the client's side: writing requests and reading what the server sends.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::calls::Call;
use super::{RequestId, ServerNotification};

/// The request that calls `call` with `params`, as one line of JSON with its line end.
///
/// # Errors
/// `params` cannot be written as JSON.
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

/// One message of the server.
#[derive(Debug)]
pub enum ServerMessage {
    /// The answer to a request.
    Answer {
        /// Which request; `None` for one whose id the server could not read.
        id: Option<RequestId>,
        /// The result, or why there is none.
        outcome: Result<ResultText, Refused>,
    },
    /// Something happened.
    Notification(ServerNotification),
    /// A kind of message that this client does not know.
    Unknown,
}

/// A result, not yet read.
#[derive(Debug)]
pub struct ResultText(Box<RawValue>);

impl ResultText {
    /// The JSON text as the server wrote it.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Reads the result of a call.
    ///
    /// # Errors
    /// It is no `R`.
    pub fn read<R: DeserializeOwned>(&self) -> serde_json::Result<R> {
        serde_json::from_str(self.0.get())
    }
}

/// Why a request has no result, as the server says.
#[derive(Clone, Debug, PartialEq, Deserialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct Refused {
    /// See [`super::ErrorCode`].
    pub code: i64,
    /// For a person.
    pub message: String,
    /// For a program.
    #[serde(default)]
    pub data: Option<Value>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Refused>,
}

/// Reads one message of the server.
///
/// # Errors
/// The text is no message.
pub fn decode_server(text: &str) -> serde_json::Result<ServerMessage> {
    let Envelope { id, method, result, error } = serde_json::from_str(text)?;
    Ok(match (method, result, error) {
        (Some(_), ..) => serde_json::from_str(text).map_or(ServerMessage::Unknown, ServerMessage::Notification),
        (None, _, Some(refused)) => ServerMessage::Answer { id, outcome: Err(refused) },
        (None, Some(result), None) => ServerMessage::Answer { id, outcome: Ok(ResultText(result)) },
        (None, None, None) => ServerMessage::Unknown,
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
    fn a_request_is_one_line() {
        let line = request_line(1, &calls::THREAD_LOADED_LIST, &ThreadLoadedListParams::default()).unwrap();
        assert_eq!(line, "{\"id\":1,\"method\":\"thread/loaded/list\",\"params\":{\"cursor\":null,\"limit\":null}}\n");
    }
}
