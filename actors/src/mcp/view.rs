//! Servers as clients see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::{Kind, ServerConfig};
use super::messages::Resources;
use super::servers::Shown;
use super::standing::Seen;
use crate::protocol::catalog::{McpAuthStatus, McpServerConnectionStatus as Status, McpServerInfo, McpServerStatus};

impl Shown {
    /// A server that is configured, and of which nothing else is known.
    pub(crate) fn not_started(name: &str, config: &Arc<ServerConfig>) -> Self {
        let status = if config.is_enabled() { Status::NotStarted } else { Status::Disabled };
        let seen = Seen { status, error: None, catalogue: None };
        Self { name: name.to_owned(), config: config.clone(), seen, resources: Resources::default() }
    }

    /// Whether it has said what it offers.
    pub(crate) fn is_known(&self) -> bool {
        self.seen.catalogue.is_some()
    }
}

/// A server for clients. With many tools that is work.
pub(crate) fn status(Shown { name, config, seen, resources }: Shown) -> McpServerStatus {
    let catalogue = seen.catalogue;
    let info = catalogue.as_ref().and_then(|catalogue| catalogue.info.clone());
    let tools = catalogue.iter().flat_map(|catalogue| &catalogue.all);
    let tools: BTreeMap<_, _> =
        tools.filter_map(|tool| Some((tool.name.clone().into_owned(), as_protocol(tool)?))).collect();
    let Resources { resources, templates } = resources;
    McpServerStatus {
        name,
        environment_id: Default::default(),
        runtime_status: Some(seen.status),
        plugin_id: Default::default(),
        http_origin: origin(&config),
        server_info: info.as_ref().and_then(|info| as_protocol::<_, McpServerInfo>(info.server_info.as_ref()?)),
        server_capabilities: info.as_ref().and_then(|info| serde_json::to_value(&info.capabilities).ok()),
        tool_list_meta: Default::default(),
        tools_error: seen.error.filter(|_| tools.is_empty()),
        tools,
        resources: resources.iter().filter_map(as_protocol).collect(),
        resource_templates: templates.iter().filter_map(as_protocol).collect(),
        auth_status: match seen.status {
            Status::AuthenticationRequired => McpAuthStatus::NotLoggedIn,
            _ => authentication(&config),
        },
    }
}

fn authentication(config: &ServerConfig) -> McpAuthStatus {
    let has_token = config.bearer_token_env_var.is_some() || !config.env_http_headers.is_empty();
    match config.kind() {
        Ok(Kind::Program(_)) => McpAuthStatus::Unsupported,
        Ok(Kind::Http(_)) if has_token || !config.http_headers.is_empty() => McpAuthStatus::BearerToken,
        _ => McpAuthStatus::Unknown,
    }
}

/// Scheme, host and port: a path or a query may hold a secret.
fn origin(config: &ServerConfig) -> Option<String> {
    let Ok(Kind::Http(url)) = config.kind() else { return None };
    let origin = url::Url::parse(url).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The same value in our words; `None` if it does not fit.
fn as_protocol<T: Serialize, P: DeserializeOwned>(value: &T) -> Option<P> {
    serde_json::from_value(serde_json::to_value(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_holds_no_secret() {
        let config = |url: &str| toml::from_str(&format!("url = '{url}'")).unwrap();
        assert_eq!(origin(&config("https://u:p@h:8443/k3y?k=1#f")).as_deref(), Some("https://h:8443"));
        assert_eq!(origin(&config("nonsense")), None);
    }
}
