//! What the catalog answers from: its files, each read again when it has changed.

use std::io;
use std::path::Path;
use std::sync::Arc;

use toml::Table;

use super::config::ConfigFiles;
use super::defaults::{model_rules, thread_settings};
use super::messages::{AskModelRules, EffectiveSettings, Greeting, ModelRules, ThreadDefaults};
use super::sources::CatalogSources;
use crate::cached_file::CachedFile;
use crate::protocol::account::SignIn;
use crate::protocol::{RpcError, ServerNotification};

/// Reads the files of the configuration and the account, and remembers what they said. The actor has one, and each of
/// its workers.
pub struct Reader {
    pub(super) sources: Arc<CatalogSources>,
    pub(super) files: ConfigFiles,
    pub(super) auth: CachedFile<SignIn>,
}

impl Reader {
    /// Nothing is read yet.
    pub fn new(sources: Arc<CatalogSources>) -> Self {
        let files = ConfigFiles::new(&sources);
        let auth = CachedFile::new(sources.codex_home.join("auth.json"), read_sign_in);
        Self { sources, files, auth }
    }

    /// How a thread starts.
    ///
    /// # Errors
    /// -32600 when the configuration, or what the client chose, cannot be used.
    pub fn thread_settings(&mut self, question: ThreadDefaults) -> Result<EffectiveSettings, RpcError> {
        thread_settings(&self.sources, &mut self.files, question)
    }

    /// What the configuration says about asking a model.
    ///
    /// # Errors
    /// -32600 when the configuration cannot be used, or knows no such provider.
    pub fn model_rules(&mut self, question: &AskModelRules) -> Result<ModelRules, RpcError> {
        model_rules(&self.sources, &mut self.files, question)
    }

    /// What a new connection is told.
    pub fn greeting(&mut self) -> Greeting {
        let warnings = self.files.warnings(&self.sources);
        Greeting { notifications: warnings.into_iter().map(ServerNotification::ConfigWarning).collect() }
    }

    /// The base URL of the backend that the configuration names.
    ///
    /// # Errors
    /// The fault of a configuration that cannot be used.
    pub fn base_url(&mut self) -> Result<Option<String>, String> {
        let loaded = self.files.load(&self.sources, None, &Table::new()).map_err(|fault| fault.to_string())?;
        Ok(loaded.settings.chatgpt_base_url)
    }
}

/// An invalid file counts as signed out, so that a client can offer to sign in again.
fn read_sign_in(path: &Path, content: io::Result<String>) -> SignIn {
    let sign_in = content.map_err(|e| e.to_string()).and_then(|text| SignIn::from_auth_json(&text));
    sign_in.unwrap_or_else(|reason| {
        log::warn!("{} cannot be used: {reason}", path.display());
        SignIn::Nobody
    })
}
