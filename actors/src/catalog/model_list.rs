//! `model/list`: OpenAI's models are built in, other providers are asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::models::{listed, models};
use super::page::page;
use super::reader::Reader;
use crate::model::{ListedModel, ModelClient, ModelSetup, OPENAI, Provider, WireApi};
use crate::protocol::RpcError;
use crate::protocol::catalog::{CatalogAnswer, ModelListParams};

/// How long a provider may take to list its models; a client waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// A list of models that has to be asked for.
pub struct Question {
    params: ModelListParams,
    provider: Arc<Provider>,
    configured: Option<String>,
    setup: ModelSetup,
}

impl Reader {
    /// What has to be asked to answer `params`; `None` where the built-in list is the answer.
    pub fn models_to_ask_for(&mut self, params: &ModelListParams) -> Option<Question> {
        let setup = self.sources.models.clone()?;
        let settings = self.settings(None);
        let id = params.model_provider.as_deref().unwrap_or(settings.default_provider());
        let provider = settings.provider(id).filter(|provider| provider.id != OPENAI)?;
        let configured = settings.model.filter(|_| params.model_provider.is_none());
        Some(Question { params: params.clone(), provider: Arc::new(provider), configured, setup })
    }
}

impl Question {
    /// Asks the provider. One that has no list gets the built-in one: it may be a way to the same models.
    pub async fn ask(self) -> Result<CatalogAnswer, RpcError> {
        let Self { params, provider, configured, setup } = self;
        let configured = configured.as_deref();
        let list = match provider.wire_api {
            WireApi::Echo => Some(Vec::new()),
            _ => ask_provider(setup, &provider).await,
        };
        let list = match (list, provider.default_model()) {
            (Some(list), Some(id)) if list.is_empty() => {
                listed(vec![ListedModel { id: id.to_owned(), context_window: None, sees_images: None }], configured)
            }
            (Some(list), _) => listed(list, configured),
            (None, _) => models(params.include_hidden.unwrap_or_default(), configured),
        };
        Ok(CatalogAnswer::ModelList(page(list, &params.page, "models")?))
    }
}

async fn ask_provider(setup: ModelSetup, provider: &Provider) -> Option<Vec<ListedModel>> {
    let client = ModelClient::new(setup);
    match timeout(PATIENCE, client.models(provider)).await {
        Ok(Ok(list)) => Some(list),
        Ok(Err(failure)) => {
            log::info!("{failure}");
            None
        }
        Err(_) => {
            log::info!("{} did not list its models within {} s", provider.display_name(), PATIENCE.as_secs());
            None
        }
    }
}
