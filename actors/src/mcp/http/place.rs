//! Where a server is, and what it wants to see of us.

use awc::http::Uri;
use awc::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::environment::Environment;
use crate::mcp::config::ServerConfig;
use crate::protocol::Secret;

/// Names of headers that belong to the protocol, and are not for the configuration.
const OWN_HEADERS: [&str; 8] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
];

/// Where a server is, and what it wants to see of us.
pub(in crate::mcp) struct Place {
    pub(super) url: Uri,
    pub(super) headers: HeaderMap,
}

impl Place {
    /// Looks up what the configuration names.
    ///
    /// # Errors
    /// Something is missing or cannot be sent; in words for the user.
    pub(in crate::mcp) fn new(config: &ServerConfig, url: &str, environment: &Environment) -> Result<Self, String> {
        let url: Uri = url.parse().map_err(|_| "its url is invalid".to_owned())?;
        let authority = url.authority().map(|authority| authority.as_str());
        if !matches!(url.scheme_str(), Some("http" | "https")) || authority.is_none() {
            return Err("its url must begin with http:// or https://".to_owned());
        }
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err("its url holds a name or password; use bearer_token_env_var or env_http_headers".to_owned());
        }
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str| {
            let known = HeaderName::try_from(name).map_err(|_| format!("the header {name:?} has an invalid name"))?;
            if OWN_HEADERS.contains(&known.as_str()) {
                return Err(format!("the header {name} is not for the configuration"));
            }
            let value =
                HeaderValue::try_from(value).map_err(|_| format!("the value of the header {name} is invalid"))?;
            headers.insert(known, value);
            Ok(())
        };
        for (name, value) in &config.http_headers {
            add(name, value.expose())?;
        }
        // The reference program leaves out headers whose variables are not set.
        for (name, variable) in &config.env_http_headers {
            if let Some(value) = environment.get(variable) {
                add(name, &value)?;
            }
        }
        if let Some(variable) = &config.bearer_token_env_var {
            let token = environment.get(variable).ok_or_else(|| {
                format!("the environment variable {variable}, which should hold its token, is not set")
            })?;
            add("authorization", &format!("Bearer {token}"))?;
        }
        Ok(Self { url, headers })
    }

    /// What must not be repeated in a text for people or models.
    pub(in crate::mcp) fn secrets(&self) -> Vec<Secret> {
        let values = self.headers.iter().filter_map(|(_, value)| value.to_str().ok());
        values.map(|value| value.strip_prefix("Bearer ").unwrap_or(value).into()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(config: &str, url: &str) -> Result<Place, String> {
        let environment = Environment::from_fn(|name| (name == "TOKEN").then(|| "s3cret".to_owned()));
        Place::new(&toml::from_str(config).unwrap(), url, &environment)
    }

    #[test]
    fn a_token_comes_from_the_environment_or_the_server_is_not_asked() {
        let place_of = place("bearer_token_env_var = 'TOKEN'\nhttp_headers = { X-A = 'b' }", "http://h/mcp").unwrap();
        assert_eq!(place_of.headers.get("authorization").unwrap(), "Bearer s3cret");
        assert_eq!(place_of.headers.get("x-a").unwrap(), "b");
        assert!(place_of.secrets().iter().any(|secret| secret.expose() == "s3cret"));
        assert!(place("bearer_token_env_var = 'NONE'", "http://h").err().unwrap().contains("NONE"));
        assert!(place("env_http_headers = { X-A = 'NONE' }", "http://h").unwrap().headers.is_empty());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_showing_it() {
        for url in ["ftp://h", "h", "http://", "http://user:pass@h/"] {
            let refusal = place("", url).err().unwrap_or_else(|| panic!("{url}"));
            assert!(!refusal.contains("pass@"), "{refusal}");
        }
        for config in [
            "http_headers = { 'a b' = 'v4lue' }",
            "http_headers = { a = \"v4lue\\n\" }",
            "http_headers = { Host = 'v4lue' }",
        ] {
            assert!(!place(config, "http://h").err().unwrap().contains("v4lue"), "{config}");
        }
    }
}
