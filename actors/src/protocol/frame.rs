//! An encoded message that all its receivers share (law 4: a broadcast is serialised once).

use bytestring::ByteString;
use serde::Serialize;

use super::{RequestId, RpcError, ServerNotification};

/// Unused capacity that a frame may keep, in bytes; returning less is not worth a copy.
const WASTED_BYTES: usize = 256;

/// A complete JSON-RPC message as compact JSON without a newline. Clones share the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(ByteString);

impl Frame {
    /// Creates the answer to request `id`.
    pub fn result(id: &RequestId, result: &impl Serialize) -> Self {
        #[derive(Serialize)]
        struct Answer<'a, T> {
            id: &'a RequestId,
            result: &'a T,
        }
        Self::encode(&Answer { id, result }).unwrap_or_else(|e| Self::error(Some(id), &unencodable(&e)))
    }

    /// Creates the error for request `id`; `None` (null on the wire) if the request had no valid id.
    pub fn error(id: Option<&RequestId>, error: &RpcError) -> Self {
        #[derive(Serialize)]
        struct Answer<'a> {
            error: &'a RpcError,
            id: Option<&'a RequestId>,
        }
        // An `RpcError` can always be encoded, so the empty frame is never sent.
        Self::encode(&Answer { error, id }).unwrap_or_else(|_| Self(ByteString::new()))
    }

    /// Creates a notification with its time stamp (Unix milliseconds).
    pub fn notification(notification: &ServerNotification, emitted_at_ms: i64) -> Self {
        #[derive(Serialize)]
        struct Stamped<'a> {
            #[serde(flatten)]
            notification: &'a ServerNotification,
            #[serde(rename = "emittedAtMs")]
            emitted_at_ms: i64,
        }
        Self::encode(&Stamped { notification, emitted_at_ms }).unwrap_or_else(|e| Self::error(None, &unencodable(&e)))
    }

    /// A request of the server.
    pub fn request(id: &RequestId, method: &str, params: &impl Serialize) -> serde_json::Result<Self> {
        #[derive(Serialize)]
        struct Request<'a, T> {
            method: &'a str,
            id: &'a RequestId,
            params: &'a T,
        }
        Self::encode(&Request { method, id, params })
    }

    fn encode(message: &impl Serialize) -> serde_json::Result<Self> {
        let mut text = escape_line_separators(serde_json::to_string(message)?);
        // The buffer grows by doubling, and a frame may wait in many queues for a long time.
        if text.capacity() - text.len() > WASTED_BYTES {
            text.shrink_to_fit();
        }
        Ok(Self(text.into()))
    }

    /// The text of the message.
    pub fn text(&self) -> &ByteString {
        &self.0
    }

    /// Takes the text.
    pub fn into_text(self) -> ByteString {
        self.0
    }

    /// Size of the text, in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never true for a frame that is sent.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Escapes U+2028 and U+2029. They are ordinary characters of JSON, but some readers of lines (Node.js among them) split
/// there.
pub fn escape_line_separators(json: String) -> String {
    const SEPARATORS: [(&str, &str); 2] = [("\u{2028}", "\\u2028"), ("\u{2029}", "\\u2029")];
    /// Both begin with this byte, and few messages have it.
    const FIRST: u8 = 0xe2;
    if memchr::memchr(FIRST, json.as_bytes()).is_none() {
        return json;
    }
    SEPARATORS.iter().fold(json, |json, (separator, escape)| json.replace(separator, escape))
}

fn unencodable(error: &serde_json::Error) -> RpcError {
    RpcError::internal(format_args!("the answer cannot be encoded as JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_reader_of_lines_finds_an_end_within_a_message() {
        let text = "a\u{2028}b\u{2029}\u{85}\n\u{201c}";
        let frame = Frame::result(&RequestId::String("\u{2028}".into()), &text);
        assert!(!frame.text().contains(['\u{2028}', '\u{2029}', '\n']), "{frame:?}");
        let read: serde_json::Value = serde_json::from_str(frame.text()).unwrap();
        assert_eq!((&read["id"], &read["result"]), (&"\u{2028}".into(), &text.into()));
    }
}
