//! JSON bodies of HTTP requests and answers, and their display without secrets.

use std::collections::HashSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Members that are never shown (spec: remote control 4.7), and those of the sign-in.
const SECRETS: [&str; 6] =
    ["remote_control_token", "pairing_code", "manual_pairing_code", "access_token", "refresh_token", "id_token"];

/// The replacement of a secret.
const REDACTED: &str = "<redacted>";

/// Length from which a part of a secret is recognised, in bytes. Shorter parts occur in ordinary text and are useless
/// to an attacker.
const RECOGNISED: usize = 12;

/// Number of bytes of a body that are shown (spec: remote control 4.7).
const SHOWN: usize = 4096;

/// Why a body is invalid. The text names the position and the type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(String);

/// Parses a body.
///
/// # Errors
/// It is not JSON, or it has unexpected members.
pub fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    // The parser's message may quote a text, which may be a token.
    serde_json::from_slice(body).map_err(|e| {
        let text = e.to_string();
        let repeats = text.contains("invalid type: string") || text.contains("invalid value: string");
        BodyError(if repeats { format!("unexpected value at line {} column {}", e.line(), e.column()) } else { text })
    })
}

/// Encodes a body.
pub fn write_body(body: &impl Serialize) -> Vec<u8> {
    // Structs of strings and booleans can always be encoded.
    serde_json::to_vec(body).unwrap_or_default()
}

/// The member `detail` of a body, with which backends explain errors.
pub fn detail(body: &str) -> Option<String> {
    serde_json::from_str::<Value>(body).ok()?.get("detail")?.as_str().map(str::to_owned)
}

/// Removes the refused secret from the text of a refusal, because some servers quote it or a part of it. Every part of
/// at least [`RECOGNISED`] bytes is replaced, wherever the secret was cut.
pub fn without(secret: &str, text: &[u8]) -> String {
    let length = secret.len().min(RECOGNISED);
    if length == 0 {
        return String::from_utf8_lossy(text).into_owned();
    }
    let parts: HashSet<&[u8]> = secret.as_bytes().windows(length).collect();
    let mut shown = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        // A longer part of the secret consists of overlapping parts, each one character further.
        let found = text[at..].windows(length).take_while(|part| parts.contains(part)).count();
        if found == 0 {
            shown.push(text[at]);
            at += 1;
        } else {
            shown.extend_from_slice(REDACTED.as_bytes());
            at += found - 1 + length;
        }
    }
    String::from_utf8_lossy(&shown).into_owned()
}

/// A body for display: without secrets, and shortened.
pub fn preview(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return "<empty>".to_owned();
    }
    if !SECRETS.iter().any(|name| text.contains(name)) {
        return cut(text);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            redact(&mut value);
            cut(&value.to_string())
        }
        // A truncated body may still contain a whole token.
        Err(_) => REDACTED.to_owned(),
    }
}

fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if SECRETS.contains(&name.as_str()) {
                    *member = REDACTED.into();
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        _ => {}
    }
}

fn cut(text: &str) -> String {
    if text.len() <= SHOWN {
        return text.to_owned();
    }
    let end = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    format!("{}...", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::remote::http::{PairStatusResponse, ServerTokenResponse};

    #[test]
    fn no_secret_is_shown_however_the_body_is_broken() {
        let whole = br#" {"remote_control_token":"tok-1","server_id":"s"} "#;
        assert_eq!(preview(whole), r#"{"remote_control_token":"<redacted>","server_id":"s"}"#);
        for body in [
            r#"{"remote_control_token":"tok-1","#,
            r#"{"error":{"pairing_code":"tok-1"}}"#,
            r#"[{"access_token":"tok-1"}]"#,
            "<html>pairing_code=tok-1",
        ] {
            assert!(!preview(body.as_bytes()).contains("tok-1"), "{body}");
        }
        let wrong = read_body::<ServerTokenResponse>(br#""tok-1""#).unwrap_err().to_string();
        assert!(!wrong.contains("tok-1"), "{wrong}");
    }

    #[test]
    fn a_secret_is_found_wherever_it_was_cut() {
        let secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";
        let redacted = |text: &str| without(secret, text.as_bytes());
        assert_eq!(
            redacted(&format!("bad token {secret}, again {secret}!")),
            "bad token <redacted>, again <redacted>!"
        );
        assert_eq!(redacted(&format!("token {}...", &secret[..12])), "token <redacted>...");
        assert_eq!(redacted(&format!("…{}\u{9b}", &secret[20..])), "…<redacted>\u{9b}");
        assert_eq!(redacted(&secret[7..30]), REDACTED);
        assert_eq!(redacted(&format!("{}{secret}", &secret[..20])), "<redacted><redacted>");
        assert_eq!(redacted(&secret[..11]), &secret[..11], "so little says nothing");
        assert_eq!(without("short", b"a short one, shor"), "a <redacted> one, shor");
        assert_eq!(without("", b"x\xff"), "x\u{fffd}");
    }

    #[test]
    fn other_bodies_are_shown_as_they_are_but_not_without_end() {
        assert_eq!(preview(b" \n"), "<empty>");
        assert_eq!(preview(b"  {\"detail\": \"no\"}\n"), "{\"detail\": \"no\"}");
        assert_eq!(preview(&[0xff, b'a']), "\u{fffd}a");
        let long = preview("\u{e4}".repeat(4096).as_bytes());
        assert!(long.ends_with("...") && long.len() <= SHOWN + 3, "{}", long.len());
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read_body::<PairStatusResponse>(b"{}").unwrap_err();
        assert_eq!(error.to_string(), "missing field `claimed` at line 1 column 2");
    }
}
