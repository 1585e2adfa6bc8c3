//! Model providers as clients may see them.

use super::config::{ModelProvider, OPENAI, Settings};
use crate::protocol::catalog::{GatewayAuth, ModelProviderListResponse, ModelProviderSummary, ProviderSettings};

/// All providers by id.
pub fn providers(settings: &Settings) -> ModelProviderListResponse {
    let openai = ModelProviderSummary {
        id: OPENAI.to_owned(),
        name: "OpenAI".to_owned(),
        can_edit: false,
        base_url: None,
        settings: ProviderSettings::Openai {},
    };
    let configured = settings.model_providers.iter().filter(|(id, _)| *id != OPENAI);
    let mut data: Vec<_> = configured.map(|(id, provider)| summary(id, provider)).collect();
    data.push(openai);
    data.sort_by(|a, b| a.id.cmp(&b.id));
    ModelProviderListResponse {
        data,
        default_provider_id: settings.default_provider().to_owned(),
        can_change_default: false,
    }
}

fn summary(id: &str, provider: &ModelProvider) -> ModelProviderSummary {
    ModelProviderSummary {
        id: id.to_owned(),
        name: provider.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_owned()),
        can_edit: false,
        base_url: provider.base_url.clone().filter(|url| can_be_shown(url)),
        settings: ProviderSettings::CustomGateway { auth: auth(provider) },
    }
}

/// User names, queries and fragments of a URL may be secrets.
fn can_be_shown(url: &str) -> bool {
    !url.contains(['@', '?', '#'])
}

fn auth(provider: &ModelProvider) -> GatewayAuth {
    let env_key = provider.env_key.clone();
    let in_configuration = provider.requires_openai_auth || provider.experimental_bearer_token.is_some();
    match env_key {
        env_key if in_configuration => GatewayAuth::ExternallyConfigured { env_key },
        Some(env_key) => GatewayAuth::EnvironmentVariable { env_key },
        None => GatewayAuth::None {},
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Vec<ModelProviderSummary> {
        providers(&Settings::from_table(&toml::from_str(text).unwrap()).unwrap()).data
    }

    #[test]
    fn openai_is_always_there() {
        let list = listed("[model_providers.zz]\nname = 'Z'\n[model_providers.a]\nbase_url = 'https://h/v1'");
        let ids: Vec<_> = list.iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(ids, ["a", "openai", "zz"]);
        assert_eq!(list[0].name, "a");
        assert_eq!(list[0].base_url.as_deref(), Some("https://h/v1"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let list = listed(
            "[model_providers.a]\nbase_url = 'http://u:pw@h/v1?x=1'\nenv_key = 'K'\n\
             [model_providers.b]\nexperimental_bearer_token = 'tok'",
        );
        assert_eq!(list[0].base_url, None);
        let env = GatewayAuth::EnvironmentVariable { env_key: "K".to_owned() };
        assert_eq!(list[0].settings, ProviderSettings::CustomGateway { auth: env });
        let token = GatewayAuth::ExternallyConfigured { env_key: None };
        assert_eq!(list[1].settings, ProviderSettings::CustomGateway { auth: token });
        assert!(!format!("{list:?}").contains("tok\""));
    }
}
