//! The models of a provider.

use super::call::{Place, opening, refused, secrets, send};
use super::client::ModelClient;
use super::failure::ModelFailure;
use super::provider::{Provider, WireApi};
use crate::protocol::model::ModelList;

pub use crate::protocol::model::ListedModel;

/// Models that are named when the one that was asked for is not there.
const SHOWN_MODELS: usize = 5;

/// Largest list of models, in bytes.
const LIST: usize = 4 * 1024 * 1024;

impl ModelClient {
    /// Whether `provider` can be asked for `model`, as far as can be told without asking a model: there is a key if it
    /// needs one, and a provider on this machine answers and has that model.
    ///
    /// # Errors
    /// The words with which a turn would fail.
    pub async fn check(&self, provider: &Provider, model: &str) -> Result<(), ModelFailure> {
        if provider.wire_api == WireApi::Echo {
            return Ok(());
        }
        if !provider.is_local() {
            return self.inner().credential(provider).await.map(drop);
        }
        let listed = self.models(provider).await?;
        if listed.is_empty() || provider.default_model() == Some(model) || listed.iter().any(|it| it.id == model) {
            return Ok(());
        }
        let has: Vec<&str> = listed.iter().take(SHOWN_MODELS).map(|it| it.id.as_str()).collect();
        let (name, has) = (provider.display_name(), has.join(", "));
        Err(ModelFailure::unusable(format!(
            "{name} has no model `{model}`; set `model` to one that it has, such as: {has}"
        )))
    }

    /// Requests the models of `provider` once, without retries. They are in the provider's order.
    ///
    /// # Errors
    /// The request failed, was refused, or has an unexpected answer.
    pub async fn models(&self, provider: &Provider) -> Result<Vec<ListedModel>, ModelFailure> {
        let inner = self.inner();
        let credential = inner.credential(provider).await?;
        let secrets = secrets(inner, provider, credential.as_ref());
        let listed = async {
            let place = Place::new(provider, credential.as_ref(), "/models")?;
            let mut response = send(inner, provider, credential.as_ref(), &place, None).await?;
            if !response.status.is_success() {
                return Err(refused(inner, provider, &place, response).await);
            }
            let body = opening(&mut response, LIST).await;
            ModelList::read(&body).map_err(|reason| {
                let name = provider.display_name();
                ModelFailure::unusable(format!("{name} has no list of models at {}: {reason}", place.shown))
            })
        };
        listed.await.map_err(|failure| failure.redacted(&secrets))
    }
}
