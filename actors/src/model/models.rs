//! The models of a provider.

use super::call::{Place, opening, refused, secrets, send};
use super::client::ModelClient;
use super::failure::ModelFailure;
use super::provider::Provider;
use crate::protocol::model::ModelList;

pub use crate::protocol::model::ListedModel;

/// Largest list of models, in bytes.
const LIST: usize = 4 * 1024 * 1024;

impl ModelClient {
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
