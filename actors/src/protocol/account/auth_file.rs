//! `auth.json` with its tokens, for `account/` only.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{PlanType, SignIn};
use crate::protocol::Secret;

/// The sign-in with its tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AuthFile {
    /// There is no sign-in, or the file is unusable.
    #[default]
    Nobody,
    /// Somebody, with this API key.
    ApiKey(Secret),
    /// A ChatGPT user.
    Chatgpt(AccountTokens),
}

/// The tokens of a ChatGPT user.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountTokens {
    /// Id of the account.
    pub account_id: Option<String>,
    /// Access token.
    pub access: Secret,
    /// Refresh token.
    pub refresh: Option<Secret>,
}

/// New tokens from the token endpoint. `None` keeps the old one.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // As in `auth.json`.
pub struct FreshTokens {
    pub id_token: Option<Secret>,
    pub access_token: Option<Secret>,
    pub refresh_token: Option<Secret>,
    /// Time of the renewal, in RFC 3339.
    pub at: String,
}

/// The tokens of a new sign-in to ChatGPT.
#[derive(Clone, Debug)]
#[allow(missing_docs)] // As in `auth.json`.
pub struct IssuedTokens {
    pub id: Secret,
    pub access: Secret,
    pub refresh: Option<Secret>,
    /// Base URL of who issued them.
    pub issuer: String,
    pub client_id: &'static str,
    /// Time of the sign-in, in RFC 3339.
    pub at: String,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: Option<Secret>,
    refresh_token: Option<Secret>,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<Secret>,
    tokens: Option<Tokens>,
}

impl AuthFile {
    /// Reads the text of `auth.json`.
    ///
    /// # Errors
    /// The text is invalid. The error contains nothing of it.
    pub fn read(text: &str) -> Result<Self, String> {
        let sign_in = SignIn::from_auth_json(text)?;
        if sign_in == SignIn::Nobody {
            return Ok(Self::Nobody);
        }
        let place = |e: serde_json::Error| format!("not the expected JSON at line {} column {}", e.line(), e.column());
        let File { api_key, tokens } = serde_json::from_str(text).map_err(place)?;
        Ok(match (sign_in, api_key, tokens) {
            (SignIn::ApiKey, Some(key), _) => Self::ApiKey(key),
            (
                SignIn::Chatgpt { account_id, .. },
                _,
                Some(Tokens { access_token: Some(access), refresh_token: refresh }),
            ) => {
                let account_id = account_id.filter(|id| !id.is_empty());
                Self::Chatgpt(AccountTokens { account_id, access, refresh })
            }
            _ => Self::Nobody,
        })
    }

    /// The text of an `auth.json` with an API key alone.
    ///
    /// # Errors
    /// Never in practice: every text can be encoded.
    pub fn of_key(key: &Secret) -> Result<String, String> {
        let file = json!({"auth_mode": "apikey", "OPENAI_API_KEY": key});
        serde_json::to_string_pretty(&file).map_err(|_| "the key cannot be encoded".to_owned())
    }

    /// The text of an `auth.json` with a ChatGPT account alone, and its subscription.
    ///
    /// # Errors
    /// Never in practice: every text can be encoded.
    pub fn of_tokens(tokens: &IssuedTokens) -> Result<(String, PlanType), String> {
        let IssuedTokens { id, access, refresh, issuer, client_id, at } = tokens;
        let unusable = |_| "the tokens cannot be encoded".to_owned();
        let mut file = json!({
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": null,
            "tokens": {
                "id_token": id,
                "access_token": access,
                "refresh_token": refresh,
                "oauth_provenance": {"issuer": issuer, "client_id": client_id},
            },
            "last_refresh": at,
        });
        let SignIn::Chatgpt { account_id, plan_type, .. } = SignIn::from_auth_json(&file.to_string())? else {
            return Err("the tokens are those of nobody".to_owned());
        };
        file["tokens"]["account_id"] = account_id.into();
        Ok((serde_json::to_string_pretty(&file).map_err(unusable)?, plan_type))
    }

    /// The text of `auth.json` with new tokens. All other members are kept.
    ///
    /// # Errors
    /// The text is not an `auth.json` with tokens. The error contains nothing of it.
    pub fn with_fresh_tokens(text: &str, fresh: &FreshTokens) -> Result<String, String> {
        let unusable = || "there are no tokens to replace".to_owned();
        let mut file: Map<String, Value> = serde_json::from_str(text).map_err(|_| unusable())?;
        let tokens = file.get_mut("tokens").and_then(Value::as_object_mut).ok_or_else(unusable)?;
        for (name, token) in [
            ("id_token", &fresh.id_token),
            ("access_token", &fresh.access_token),
            ("refresh_token", &fresh.refresh_token),
        ] {
            if let Some(token) = token {
                tokens.insert(name.to_owned(), token.expose().into());
            }
        }
        file.insert("last_refresh".to_owned(), fresh.at.as_str().into());
        serde_json::to_string_pretty(&file).map_err(|_| unusable())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNED_IN: &str = r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":null,"tokens":{"id_token":"i","access_token":"a",
        "refresh_token":"r","account_id":"acc"},"last_refresh":"2026-01-01T00:00:00Z","other":{"kept":1}}"#;

    #[test]
    fn every_kind_of_sign_in_is_told_apart() {
        let read = |text: &str| AuthFile::read(text).unwrap();
        assert_eq!(read(""), AuthFile::Nobody);
        assert_eq!(read(r#"{"OPENAI_API_KEY":"k"}"#), AuthFile::ApiKey("k".into()));
        let AuthFile::Chatgpt(tokens) = read(SIGNED_IN) else { panic!("signed in") };
        assert_eq!((tokens.account_id.as_deref(), tokens.access.expose()), (Some("acc"), "a"));
        let AuthFile::Chatgpt(tokens) = read(&SIGNED_IN.replace("\"acc\"", "null")) else { panic!("signed in") };
        assert_eq!(tokens.account_id, None);
        assert!(AuthFile::read("{\"tokens\":").is_err());
    }

    #[test]
    fn new_tokens_leave_everything_else_as_it_was() {
        let fresh = FreshTokens {
            id_token: None,
            access_token: Some("a2".into()),
            refresh_token: Some("r2".into()),
            at: "2026-02-02T00:00:00Z".to_owned(),
        };
        let written: Value = serde_json::from_str(&AuthFile::with_fresh_tokens(SIGNED_IN, &fresh).unwrap()).unwrap();
        assert_eq!(written["tokens"]["access_token"], "a2");
        assert_eq!(written["tokens"]["refresh_token"], "r2");
        assert_eq!(written["tokens"]["id_token"], "i");
        assert_eq!(written["tokens"]["account_id"], "acc");
        assert_eq!(written["last_refresh"], "2026-02-02T00:00:00Z");
        assert_eq!(written["other"]["kept"], 1);
        assert!(AuthFile::with_fresh_tokens("{}", &fresh).is_err());
    }

    #[test]
    fn a_key_replaces_everything() {
        let text = AuthFile::of_key(&"sk-\"1".into()).unwrap();
        assert_eq!(AuthFile::read(&text).unwrap(), AuthFile::ApiKey("sk-\"1".into()));
    }

    #[test]
    fn tokens_do_not_show_themselves() {
        let shown = format!("{:?}", AuthFile::read(&SIGNED_IN.replace("\"a\"", "\"tok-1\"")).unwrap());
        assert!(!shown.contains("tok-1"), "{shown}");
    }
}
