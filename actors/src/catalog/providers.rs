//! Model providers as clients may see them.

use super::config::Settings;
use crate::model::{OPENAI, Provider};
use crate::protocol::catalog::{GatewayAuth, ModelProviderListResponse, ModelProviderSummary, ProviderSettings};

/// All providers by id.
pub fn providers(settings: &Settings) -> ModelProviderListResponse {
    ModelProviderListResponse {
        data: settings.providers().iter().map(summary).collect(),
        default_provider_id: settings.default_provider().to_owned(),
        can_change_default: true,
    }
}

fn summary(provider: &Provider) -> ModelProviderSummary {
    ModelProviderSummary {
        id: provider.id.clone(),
        name: provider.display_name().to_owned(),
        can_edit: false,
        base_url: provider.base_url.clone().filter(|url| can_be_shown(url)),
        settings: match provider.id.as_str() {
            OPENAI => ProviderSettings::Openai {},
            _ => ProviderSettings::CustomGateway { auth: auth(provider) },
        },
    }
}

/// User names, queries and fragments of a URL may be secrets.
fn can_be_shown(url: &str) -> bool {
    !url.contains(['@', '?', '#'])
}

fn auth(provider: &Provider) -> GatewayAuth {
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
    fn built_in_providers_are_always_there() {
        let list = listed("[model_providers.zz]\nname = 'Z'\n[model_providers.a]\nbase_url = 'https://h/v1'");
        let ids: Vec<_> = list.iter().map(|provider| provider.id.as_str()).collect();
        assert_eq!(ids, ["a", "echo", "llamacpp", "lmstudio", "ollama", "openai", "zz"]);
        assert_eq!(list[0].name, "a");
        assert_eq!(list[0].base_url.as_deref(), Some("https://h/v1"));
        assert_eq!(list[5].settings, ProviderSettings::Openai {});
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
