//! `auth.json`: the sign-in that this server shares with the reference program.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::PlanType;

/// The signed-in account, reduced to what clients may see. Keys and tokens stay in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignIn {
    /// Nobody.
    #[default]
    Nobody,
    /// An API key.
    ApiKey,
    /// A ChatGPT user, as the identity token of the sign-in states it.
    Chatgpt {
        /// The user's address.
        email: Option<String>,
        /// The subscription.
        plan_type: PlanType,
        /// The user.
        user_id: Option<String>,
        /// The account that pays.
        account_id: Option<String>,
    },
}

/// The parts of the file that matter here. An API key is only checked for presence and never stored.
#[derive(Deserialize)]
struct AuthFile {
    auth_mode: Option<String>,
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<IgnoredAny>,
    tokens: Option<Tokens>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    account_id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Claims {
    email: Option<String>,
    #[serde(default, rename = "https://api.openai.com/auth")]
    auth: AuthClaims,
}

#[derive(Default, Deserialize)]
struct AuthClaims {
    chatgpt_plan_type: Option<PlanType>,
    chatgpt_user_id: Option<String>,
    chatgpt_account_id: Option<String>,
}

impl SignIn {
    /// Reads the text of `auth.json`.
    ///
    /// # Errors
    /// The text has an unexpected form. The error names the position but no content, because it may be logged.
    pub fn from_auth_json(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Ok(Self::Nobody);
        }
        let file: AuthFile = serde_json::from_str(text)
            .map_err(|e| format!("not the expected JSON at line {} column {}", e.line(), e.column()))?;
        let by_key = match file.auth_mode.as_deref() {
            Some(mode) => mode.eq_ignore_ascii_case("apikey"),
            None => file.api_key.is_some(),
        };
        Ok(match file {
            AuthFile { api_key: Some(_), .. } if by_key => Self::ApiKey,
            AuthFile { tokens: Some(tokens), .. } => tokens.user(),
            _ => Self::Nobody,
        })
    }
}

impl Tokens {
    /// Reads the claims of the identity token. They are only displayed, so the signature is not checked. A malformed
    /// token still counts as a sign-in.
    fn user(&self) -> SignIn {
        let claims: Claims = (self.id_token.split('.').nth(1))
            .and_then(|payload| BASE64_URL_SAFE_NO_PAD.decode(payload).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default();
        SignIn::Chatgpt {
            email: claims.email,
            plan_type: claims.auth.chatgpt_plan_type.unwrap_or_default(),
            user_id: claims.auth.chatgpt_user_id,
            account_id: self.account_id.clone().or(claims.auth.chatgpt_account_id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    fn chatgpt(email: Option<&str>, plan_type: PlanType, account_id: Option<&str>) -> SignIn {
        let user_id = email.map(|_| "user-1".to_owned());
        SignIn::Chatgpt {
            email: email.map(str::to_owned),
            plan_type,
            user_id,
            account_id: account_id.map(str::to_owned),
        }
    }

    #[test]
    fn a_key_counts_unless_the_mode_says_otherwise() {
        let sign_in = |text: &str| SignIn::from_auth_json(text).unwrap();
        assert_eq!(sign_in(""), SignIn::Nobody);
        assert_eq!(sign_in("{}"), SignIn::Nobody);
        assert_eq!(sign_in(r#"{"OPENAI_API_KEY":null,"tokens":null}"#), SignIn::Nobody);
        assert_eq!(sign_in(r#"{"OPENAI_API_KEY":"sk-1"}"#), SignIn::ApiKey);
        assert_eq!(sign_in(r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-1"}"#), SignIn::ApiKey);
        assert_eq!(sign_in(r#"{"auth_mode":"chatgpt","OPENAI_API_KEY":"sk-1"}"#), SignIn::Nobody);
    }

    #[test]
    fn a_chatgpt_user_is_read_from_the_identity_token() {
        let claims = r#"{"email":"me@example.com","https://api.openai.com/auth":
            {"chatgpt_plan_type":"plus","chatgpt_user_id":"user-1","chatgpt_account_id":"acc-1"}}"#;
        let file = |token: &str| format!(r#"{{"OPENAI_API_KEY":null,"tokens":{{"id_token":"{token}"}}}}"#);
        let sign_in = |text: &str| SignIn::from_auth_json(&file(&token(text))).unwrap();
        assert_eq!(sign_in(claims), chatgpt(Some("me@example.com"), PlanType::Plus, Some("acc-1")));
        assert_eq!(
            sign_in(&claims.replace("plus", "not-yet-invented")),
            chatgpt(Some("me@example.com"), PlanType::Unknown, Some("acc-1"))
        );
        let garbled = SignIn::from_auth_json(&file("garbled")).unwrap();
        assert_eq!(garbled, chatgpt(None, PlanType::Unknown, None));
    }

    #[test]
    fn an_error_repeats_nothing_of_the_file() {
        let error = SignIn::from_auth_json(r#"{"OPENAI_API_KEY":"sk-1","tokens":"a-secret"}"#).unwrap_err();
        assert_eq!(error, "not the expected JSON at line 1 column 44");
    }
}
