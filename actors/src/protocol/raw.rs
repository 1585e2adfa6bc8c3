//! Messages about any method: JSON that is passed on without being decoded.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The params of a request as given by the user.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RawParams(Box<RawValue>);

impl RawParams {
    /// Parses JSON.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        // Parsed as a value, because a raw one would keep newlines, and a message must be one line.
        let value: Value = serde_json::from_str(text)?;
        serde_json::value::to_raw_value(&value).map(Self)
    }

    /// An object of these members. A value that is not JSON becomes a string, so that `name=Sums` needs no quotes.
    ///
    /// # Errors
    /// Never in practice: every object can be encoded.
    pub fn from_members<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> serde_json::Result<Self> {
        let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let object: Map<_, _> = members.into_iter().map(|(name, text)| (name.to_owned(), value(text))).collect();
        serde_json::value::to_raw_value(&object).map(Self)
    }

    /// An object of these members, whose values are texts whatever they look like.
    ///
    /// # Errors
    /// Never in practice: every object can be encoded.
    pub fn from_texts<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> serde_json::Result<Self> {
        let object: Map<_, _> = members.into_iter().map(|(name, text)| (name.to_owned(), Value::from(text))).collect();
        serde_json::value::to_raw_value(&object).map(Self)
    }

    /// The member `name` of the object, if it is a text.
    pub fn text_member(&self, name: &str) -> Option<String> {
        let object: Map<String, Value> = serde_json::from_str(self.0.get()).ok()?;
        object.get(name)?.as_str().map(str::to_owned)
    }

    /// Whether the params are an object without the member `name`.
    pub fn lacks(&self, name: &str) -> bool {
        serde_json::from_str::<Map<String, Value>>(self.0.get()).is_ok_and(|object| !object.contains_key(name))
    }

    /// The same object with the text `value` as its member `name`. Params of another kind stay as they are.
    #[must_use]
    pub fn with_text(self, name: &str, value: &str) -> Self {
        let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(self.0.get()) else { return self };
        object.insert(name.to_owned(), value.into());
        serde_json::value::to_raw_value(&object).map_or(self, Self)
    }

    /// The params as a value; null if they are not there.
    pub(super) fn value(&self) -> Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

/// Whether `text` stands for a value other than a text in [`RawParams::from_members`].
pub fn is_json_but_no_text(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string())
}

/// Encodes a request for `method` as one line of JSON without a newline.
///
/// # Errors
/// `params` cannot be encoded as JSON.
pub fn request_text(id: i64, method: &str, params: &impl Serialize) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Request<'a, P> {
        id: i64,
        method: &'a str,
        params: &'a P,
    }
    serde_json::to_string(&Request { id, method, params })
}

/// The notification `initialized`, which ends the handshake.
pub const INITIALIZED: &str = r#"{"method":"initialized"}"#;

/// The topic of a message from the server, whose method may be unknown to this program.
#[derive(Debug, PartialEq, Eq)]
pub struct Topic {
    /// The method of the notification or server request.
    pub method: String,
    /// Id of the thread, if there is one.
    pub thread_id: Option<String>,
}

/// The topic of `text`, a message from the server; `None` for an answer.
///
/// # Errors
/// The text is not a message.
pub fn topic(text: &str) -> serde_json::Result<Option<Topic>> {
    #[derive(Deserialize)]
    struct Message {
        method: Option<String>,
        #[serde(default)]
        params: Option<Params>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params {
        thread_id: Option<String>,
        thread: Option<Thread>,
    }
    #[derive(Deserialize)]
    struct Thread {
        id: Option<String>,
    }
    let Message { method, params } = serde_json::from_str(text)?;
    let thread_id = params.and_then(|params| params.thread_id.or(params.thread.and_then(|thread| thread.id)));
    Ok(method.map(|method| Topic { method, thread_id }))
}

/// Kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request,
    /// An answer.
    Answer,
    /// Neither, or not a message.
    Other,
}

/// Distinguishes requests from answers. Invalid text is neither.
pub fn kind(text: &str) -> Kind {
    #[derive(Deserialize)]
    struct Message {
        id: Option<IgnoredAny>,
        method: Option<IgnoredAny>,
    }
    match serde_json::from_str(text) {
        Ok(Message { id: Some(_), method: Some(_) }) => Kind::Request,
        Ok(Message { id: Some(_), method: None }) => Kind::Answer,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn params_are_json_or_members() {
        let request = |params: RawParams| request_text(1, "m", &params).unwrap();
        let json = RawParams::from_json("{\n \"b\": [1.50, \"x\\n\"],\n \"a\": null }").unwrap();
        assert!(!request(json).contains('\n'));
        assert!(RawParams::from_json("{").is_err());
        let members = RawParams::from_members([("name", "Sums and more"), ("limit", "3"), ("a", "[1,{}]")]).unwrap();
        assert_eq!(request(members), r#"{"id":1,"method":"m","params":{"a":[1,{}],"limit":3,"name":"Sums and more"}}"#);
    }

    #[test]
    fn a_message_says_what_it_is_about() {
        let about = |text: &str| topic(text).unwrap().map(|topic| (topic.method, topic.thread_id));
        let some = |method: &str, thread: Option<&str>| Some((method.to_owned(), thread.map(str::to_owned)));
        assert_eq!(
            about(r#"{"method":"a/b","params":{"threadId":"t","x":1},"emittedAtMs":1}"#),
            some("a/b", Some("t"))
        );
        assert_eq!(
            about(r#"{"method":"thread/started","params":{"thread":{"id":"t"}}}"#),
            some("thread/started", Some("t"))
        );
        assert_eq!(about(r#"{"method":"ask","id":0,"params":null}"#), some("ask", None));
        assert_eq!(about(r#"{"id":0,"result":{}}"#), None);
        assert!(topic("nonsense").is_err());
    }

    #[test]
    fn requests_are_told_from_answers() {
        for (text, expected) in [
            (r#"{"id":1,"method":"m"}"#, Kind::Request),
            (r#"{"result":{},"id":"x"}"#, Kind::Answer),
            (r#"{"error":{},"id":0}"#, Kind::Answer),
            (r#"{"error":{},"id":null}"#, Kind::Other),
            (r#"{"method":"m"}"#, Kind::Other),
            ("nonsense", Kind::Other),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
