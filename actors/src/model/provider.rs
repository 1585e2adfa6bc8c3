//! Providers of models: addresses, credentials and dialects.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::credentials::Credential;
use crate::protocol::Secret;
use crate::protocol::model::Dialect;

/// The default provider.
pub const OPENAI: &str = "openai";

/// The built-in provider, which needs neither an account nor the network.
pub const ECHO: &str = "echo";

/// The server of llama.cpp.
const LLAMACPP: &str = "llamacpp";

/// `[model_providers.<id>]` of `config.toml`. The members are the reference program's, except those of
/// [`Self::dialect`], which are additions of this server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// The key of the table.
    #[serde(skip)]
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// The URL to which `/responses`, `/chat/completions` and `/models` are appended.
    pub base_url: Option<String>,
    /// The environment variable that contains the key.
    pub env_key: Option<String>,
    /// How to get a key; part of the error when the variable of [`Self::env_key`] is not set.
    pub env_key_instructions: Option<String>,
    /// A key in the configuration itself.
    pub experimental_bearer_token: Option<Secret>,
    /// Headers of every request.
    pub http_headers: BTreeMap<String, Secret>,
    /// Headers of every request with the names of the environment variables that contain their values. A header whose
    /// variable is not set is omitted.
    pub env_http_headers: BTreeMap<String, String>,
    /// Parameters that are appended to every URL.
    pub query_params: BTreeMap<String, Secret>,
    /// The provider's API.
    pub wire_api: WireApi,
    /// Maximum number of retries after failures before an answer began.
    pub request_max_retries: Option<u32>,
    /// Maximum number of retries after answers that broke off.
    pub stream_max_retries: Option<u32>,
    /// Silence in milliseconds after which a request fails, including the wait for the head of the answer.
    pub stream_idle_timeout_ms: Option<u64>,
    /// Whether requests use the user's OpenAI sign-in.
    pub requires_openai_auth: bool,

    /// Where it differs from what every server accepts.
    #[serde(flatten)]
    pub dialect: Dialect,
}

/// The API of a provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WireApi {
    /// OpenAI's Responses API.
    #[default]
    Responses,
    /// Chat Completions.
    Chat,
    /// Built in: see [`super::echo`].
    #[serde(skip)]
    Echo,
}

impl Provider {
    /// Default retries before an answer began (the reference program's number).
    const REQUEST_RETRIES: u32 = 4;
    /// Default retries after an answer broke off (the reference program's number).
    const STREAM_RETRIES: u32 = 5;
    /// Upper bound of both.
    const MOST_RETRIES: u32 = 100;
    /// Default silence in milliseconds (the reference program's number).
    const IDLE_MILLISECONDS: u64 = 300_000;

    /// The built-in providers. A table of the same name in the configuration replaces them, except [`OPENAI`].
    pub fn built_in() -> [Self; 5] {
        let local = |id: &str, name: &str, base_url: &str| Self {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            base_url: Some(base_url.to_owned()),
            wire_api: WireApi::Chat,
            ..Self::default()
        };
        [
            Self {
                id: ECHO.to_owned(),
                name: Some("Echo (built in; answers from the conversation itself)".to_owned()),
                wire_api: WireApi::Echo,
                ..Self::default()
            },
            local(LLAMACPP, "llama.cpp", "http://localhost:8080/v1"),
            local("lmstudio", "LM Studio", "http://localhost:1234/v1"),
            local("ollama", "Ollama", "http://localhost:11434/v1"),
            Self {
                id: OPENAI.to_owned(),
                name: Some("OpenAI".to_owned()),
                requires_openai_auth: true,
                dialect: Dialect::openai(),
                ..Self::default()
            },
        ]
    }

    /// The name to display.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.id)
    }

    /// The model of threads without a model of their own; `None` if the provider has several.
    pub fn default_model(&self) -> Option<&'static str> {
        match (self.wire_api, self.id.as_str()) {
            (WireApi::Echo, _) => Some(ECHO),
            // It serves one model and ignores the name in the request.
            (_, LLAMACPP) => Some("default"),
            _ => None,
        }
    }

    /// Whether requests carry the user's OpenAI sign-in.
    pub fn uses_sign_in(&self) -> bool {
        self.requires_openai_auth && self.env_key.is_none() && self.experimental_bearer_token.is_none()
    }

    /// The base URL. OpenAI has one for each kind of sign-in, unless the configuration names one.
    pub(super) fn default_url(&self, credential: &Credential) -> Option<&'static str> {
        self.requires_openai_auth.then_some(match credential {
            Credential::ApiKey(_) => "https://api.openai.com/v1",
            Credential::Chatgpt { .. } => "https://chatgpt.com/backend-api/codex",
        })
    }

    /// Whether it is a program on this machine, which the user can start.
    pub fn is_local(&self) -> bool {
        let host = self.base_url.as_deref().and_then(|url| Url::parse(url).ok());
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Retries after failures before an answer began.
    pub fn request_retries(&self) -> u32 {
        self.request_max_retries.unwrap_or(Self::REQUEST_RETRIES).min(Self::MOST_RETRIES)
    }

    /// Retries after answers that broke off.
    pub fn stream_retries(&self) -> u32 {
        self.stream_max_retries.unwrap_or(Self::STREAM_RETRIES).min(Self::MOST_RETRIES)
    }

    /// Maximum silence of the provider.
    pub fn idle(&self) -> Duration {
        Duration::from_millis(self.stream_idle_timeout_ms.unwrap_or(Self::IDLE_MILLISECONDS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Provider, String> {
        toml::from_str(text).map_err(|e| e.to_string())
    }

    #[test]
    fn every_member_of_the_reference_program_is_read() {
        let provider = read(
            "name = 'X'\nbase_url = 'http://h/v1'\nenv_key = 'K'\nenv_key_instructions = 'buy one'\nwire_api = 'chat'\n\
             http_headers = { a = 'b' }\nenv_http_headers = { c = 'D' }\nquery_params = { api-version = '1' }\n\
             request_max_retries = 0\nstream_max_retries = 1000\nstream_idle_timeout_ms = 20\nreplay_reasoning = true\n\
             requires_openai_auth = true\nsupports_websockets = false",
        )
        .unwrap();
        assert_eq!((provider.display_name(), provider.wire_api), ("X", WireApi::Chat));
        assert_eq!((provider.request_retries(), provider.stream_retries()), (0, 100));
        assert_eq!(provider.idle(), Duration::from_millis(20));
        assert_eq!(provider.query_params["api-version"].expose(), "1");
        assert!(provider.requires_openai_auth && provider.dialect.replay_reasoning);
        assert!(read("wire_api = 'echo'").is_err());
        assert!(read("wire_api = 'smoke signals'").unwrap_err().contains("`responses`"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let provider = read("experimental_bearer_token = 'hush'\nhttp_headers = { api-key = 'hush' }").unwrap();
        assert!(!format!("{provider:?}").contains("hush"));
    }

    #[test]
    fn nothing_but_openai_gets_what_only_openai_understands() {
        for provider in Provider::built_in() {
            assert_eq!(provider.dialect.openai_members, provider.id == OPENAI, "{}", provider.id);
        }
        assert!(!Provider::default().dialect.openai_members);
    }
}
