//! Which model new threads use, and whether it can be asked; for people who look for a fault.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;
use toml::Table;

use super::Catalog;
use super::messages::{ThreadDefaults, ThreadOverrides};
use super::reader::Reader;
use super::sources::CatalogSources;
use crate::mcp::Configured;
use crate::model::{ModelClient, Provider};

/// How long a provider on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a new thread would meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// Its model.
    pub model: String,
    /// Who serves the model, as people call it.
    pub provider: String,
    /// Why the model cannot be asked, in the words with which a turn would fail.
    pub trouble: Option<String>,
    /// The ids of the model servers on this machine that answer; looked for when there is trouble.
    pub others: Vec<String>,
}

impl Catalog {
    /// The MCP servers that the configuration names, for whoever looks for a fault.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn mcp_servers(sources: CatalogSources) -> Result<Configured, String> {
        let mut reader = Reader::new(Arc::new(sources));
        let loaded = reader.files.load(&reader.sources, None, &Table::new()).map_err(|fault| fault.to_string())?;
        Ok(loaded.settings.mcp_servers)
    }

    /// Looks at what a thread that started now in [`CatalogSources::cwd`] would meet.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub async fn outlook(sources: CatalogSources) -> Result<Outlook, String> {
        let setup = sources.models.clone();
        let question = ThreadDefaults { cwd: None, overrides: ThreadOverrides::default() };
        let settings = Reader::new(Arc::new(sources)).thread_settings(question).map_err(|error| error.message)?;
        let provider = settings.model_rules.provider;
        let mut outlook = Outlook {
            model: settings.model,
            provider: provider.display_name().to_owned(),
            trouble: None,
            others: Vec::new(),
        };
        let Some(client) = setup.map(ModelClient::new) else { return Ok(outlook) };
        outlook.trouble = match timeout(PATIENCE, client.check(&provider, &outlook.model)).await {
            Ok(checked) => checked.err().map(|failure| failure.message),
            Err(_) => Some(format!("{} did not answer within {} s", outlook.provider, PATIENCE.as_secs())),
        };
        if outlook.trouble.is_some() {
            let local = Provider::built_in().into_iter().filter(Provider::is_local);
            let asked =
                join_all(
                    local.map(|local| {
                        let client = client.clone();
                        async move {
                            matches!(timeout(PATIENCE, client.models(&local)).await, Ok(Ok(_))).then_some(local.id)
                        }
                    }),
                );
            outlook.others = asked.await.into_iter().flatten().collect();
        }
        Ok(outlook)
    }
}
