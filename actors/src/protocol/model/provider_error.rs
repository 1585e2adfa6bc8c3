//! Errors of providers.

use serde_json::{Map, Value};

/// An error of a provider, as far as it can be parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderError {
    /// Error code, such as `context_length_exceeded`.
    pub code: Option<String>,
    /// Error type, such as `invalid_request_error`.
    pub kind: Option<String>,
    /// Name for display.
    pub message: Option<String>,
    /// Context window in tokens, if the error is about it.
    pub context_window: Option<u64>,
}

impl ProviderError {
    /// Parses the body of a refusal, or an error event of a stream. `None` if it is not JSON about an error.
    pub fn read(json: &[u8]) -> Option<Self> {
        Self::of(&serde_json::from_slice(json).ok()?)
    }

    /// `{"error": …}` or its content; also `{"detail": …}`, and the first of a list of them.
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Array(list) => list.iter().find_map(Self::of),
            Value::Object(members) => match members.get("error").or_else(|| members.get("errors")) {
                Some(Value::String(text)) => {
                    let message = text_of(members, "message").unwrap_or_else(|| text.clone());
                    Some(Self { message: Some(message), ..Self::of_members(members).unwrap_or_default() })
                }
                Some(inner @ (Value::Object(_) | Value::Array(_))) => Self::of(inner),
                _ => Self::of_members(members),
            },
            _ => None,
        }
    }

    fn of_members(members: &Map<String, Value>) -> Option<Self> {
        let detail = || match members.get("detail")? {
            Value::String(text) => Some(text.clone()),
            detail @ (Value::Object(_) | Value::Array(_)) => Some(detail.to_string()),
            _ => None,
        };
        let error = Self {
            code: text_of(members, "code"),
            kind: text_of(members, "type"),
            message: text_of(members, "message").or_else(detail),
            context_window: members.get("n_ctx").and_then(Value::as_u64),
        };
        (error.code.is_some() || error.message.is_some()).then_some(error)
    }

    /// Whether its code or type is one of these words.
    pub fn is(&self, words: &[&str]) -> bool {
        [&self.code, &self.kind].into_iter().flatten().any(|word| words.contains(&word.as_str()))
    }

    /// Whether its message contains one of these phrases, ignoring case.
    pub fn mentions(&self, phrases: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or_default().to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}

/// A string, or a number as a string, which some servers use as a code.
fn text_of(members: &Map<String, Value>, name: &str) -> Option<String> {
    match members.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (Option<String>, Option<String>, Option<String>) {
        let error = ProviderError::read(json.as_bytes()).unwrap();
        (error.code, error.kind, error.message)
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn every_way_of_saying_it_is_understood() {
        assert_eq!(
            read(r#"{"error":{"message":"m","type":"t","param":null,"code":"c"}}"#),
            (some("c"), some("t"), some("m"))
        );
        assert_eq!(read(r#"{"error":{"code":400,"message":"m","type":"t"}}"#), (some("400"), some("t"), some("m")));
        assert_eq!(read(r#"{"error":"model 'x' not found"}"#).2, some("model 'x' not found"));
        assert_eq!(read(r#"{"error":"Bad Request","message":"m"}"#).2, some("m"));
        assert_eq!(read(r#"{"detail":"m"}"#).2, some("m"));
        assert_eq!(read(r#"{"detail":[{"msg":"m"}]}"#).2, some(r#"[{"msg":"m"}]"#));
        assert_eq!(read(r#"[{"error":{"code":429,"message":"m"}}]"#), (some("429"), None, some("m")));
        assert_eq!(read(r#"{"object":"error","message":"m","code":40301}"#), (some("40301"), None, some("m")));
        assert_eq!(read(r#"{"type":"error","code":"c","message":"m","param":null}"#).0, some("c"));
    }

    #[test]
    fn what_says_nothing_about_an_error_is_none() {
        for json in ["{}", "[]", "3", "null", "<html>", r#"{"error":null}"#, r#"{"error":{}}"#, r#"{"choices":[]}"#] {
            assert_eq!(ProviderError::read(json.as_bytes()), None, "{json}");
        }
    }

    #[test]
    fn the_size_of_the_context_is_found() {
        let body = br#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":2048}}"#;
        let error = ProviderError::read(body).unwrap();
        assert_eq!(error.context_window, Some(2048));
        assert!(error.is(&["exceed_context_size_error"]) && error.mentions(&["too long"]));
    }
}
