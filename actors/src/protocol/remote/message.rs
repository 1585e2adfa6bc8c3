//! The JSON-RPC message inside an envelope, which the transport passes on unchanged.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::protocol::RequestId;

/// A JSON text as sent, usually a JSON-RPC message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a>(pub(super) &'a RawValue);

/// Kind of a message, as far as the transport needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// The `initialize` request.
    Initialize(RequestId),
    /// Any other request.
    Request(RequestId),
    /// A notification, or an answer to a server request.
    Other,
}

impl<'a> Message<'a> {
    /// Parses a message.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn new(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// The text, possibly with several lines.
    pub fn text(&self) -> &'a str {
        self.0.get()
    }

    /// The kind; `None` if it is not a JSON-RPC message.
    pub fn kind(&self) -> Option<MessageKind> {
        #[derive(Deserialize)]
        struct Peek<'a> {
            id: Option<RequestId>,
            #[serde(borrow)]
            method: Option<Cow<'a, str>>,
            #[serde(default, deserialize_with = "present")]
            result: bool,
            #[serde(default, deserialize_with = "present")]
            error: bool,
        }
        // Checked before serde, which would read an array as members in order.
        if !self.text().starts_with('{') {
            return None;
        }
        match serde_json::from_str(self.text()).ok()? {
            Peek { id: Some(id), method: Some(method), .. } if method == "initialize" => {
                Some(MessageKind::Initialize(id))
            }
            Peek { id: Some(id), method: Some(_), .. } => Some(MessageKind::Request(id)),
            Peek { id: None, method: Some(_), .. } => Some(MessageKind::Other),
            Peek { id: Some(_), result, error, .. } if result || error => Some(MessageKind::Other),
            Peek { .. } => None,
        }
    }

    /// The text in one line, with a newline.
    pub fn line(&self) -> String {
        // Newlines in JSON are only white space; inside strings they are escaped.
        let mut line = self.text().replace(['\n', '\r'], " ");
        line.push('\n');
        line
    }
}

impl PartialEq for Message<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Message<'_> {}

/// True for a member that is present, even if it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Option<MessageKind> {
        Message::new(text).unwrap().kind()
    }

    #[test]
    fn messages_are_told_apart_without_being_understood() {
        let id = RequestId::Integer(1);
        for (text, expected) in [
            (r#"{"id":1,"method":"initialize","params":{}}"#, Some(MessageKind::Initialize(id.clone()))),
            (r#"{"jsonrpc":"2.0","method":"x","id":1}"#, Some(MessageKind::Request(id))),
            (r#"{"method":"initialize"}"#, Some(MessageKind::Other)),
            (r#"{"id":1,"result":null}"#, Some(MessageKind::Other)),
            (r#"{"id":1,"error":{}}"#, Some(MessageKind::Other)),
            ("{}", None),
            (r#"{"id":1}"#, None),
            ("[1]", None),
            ("5", None),
            (r#"{"id":[],"method":"x"}"#, None),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_of_several_lines_becomes_one() {
        let message = Message::new("{\r\n \"a\":\"b\\n\"\n}").unwrap();
        assert_eq!(message.line(), "{   \"a\":\"b\\n\" }\n");
    }
}
