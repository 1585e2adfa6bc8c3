//! The params of `call` as typed by a user.

use std::io::Read as _;

use app_server_actors::protocol::raw::RawParams;

use crate::attach::CallError;

/// Parses `words`: none mean `{}`, `-` means JSON on stdin, text that starts like JSON is JSON, and anything else is
/// `key=value` pairs.
///
/// # Errors
/// The words are none of these.
pub fn read(words: &[String]) -> Result<RawParams, CallError> {
    match words {
        [] => pairs(&[]),
        [word] if word == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(|error| usage(format!("stdin: {error}")))?;
            json(&text)
        }
        [word] if word.starts_with(['{', '[']) || word == "null" => json(word),
        words => pairs(words),
    }
}

fn json(text: &str) -> Result<RawParams, CallError> {
    RawParams::from_json(text).map_err(|error| usage(format!("the params are not JSON: {error}")))
}

fn pairs(words: &[String]) -> Result<RawParams, CallError> {
    let mut members = Vec::with_capacity(words.len());
    for word in words {
        let pair = word.split_once('=').filter(|(key, _)| !key.is_empty());
        members.push(pair.ok_or_else(|| usage(format!("expected JSON, `-` or KEY=VALUE, found `{word}`")))?);
    }
    RawParams::from_members(members).map_err(|error| usage(error.to_string()))
}

fn usage(text: String) -> CallError {
    CallError::Usage(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(words: &[&str]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let params = read(&words).map_err(|error| error.to_string())?;
        Ok(serde_json::to_string(&params).unwrap())
    }

    #[test]
    fn every_form() {
        for (words, expected) in [
            (&[][..], "{}"),
            (&["{\"a\": 1}"], "{\"a\":1}"),
            (&["null"], "null"),
            (
                &["limit=3", "name=a=b", "flag=true", "text=[not json"],
                r#"{"flag":true,"limit":3,"name":"a=b","text":"[not json"}"#,
            ),
        ] {
            assert_eq!(params(words).unwrap(), expected);
        }
        for words in [&["{"][..], &["word"], &["=x"], &["a=1", "{}"]] {
            assert!(params(words).is_err(), "{words:?}");
        }
    }
}
