//! The catalog: answers what clients ask about the server and its user when they start, and provides the settings of
//! new threads.
//!
//! It owns `config.toml`, `auth.json` and `installation_id` in `$CODEX_HOME`, which it shares with the reference
//! program. A file is read again when it has changed since the last request, so a correction needs no restart.
//!
//! The catalog reads files, so it runs on an arbiter of its own: a slow disk delays its own answers and nothing else.

mod answers;
mod config;
mod defaults;
mod installation;
mod messages;
mod models;
mod page;
mod permissions;
mod providers;
mod sources;
#[cfg(test)]
mod tests;
mod write;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use toml::Table;

use crate::cached_file::CachedFile;
use crate::limits::Limits;
use crate::mailbox::{end_alone, start_alone};
use crate::panics::guarded;
use crate::protocol::account::SignIn;
use crate::protocol::{RpcError, ServerNotification};
use config::ConfigFiles;

pub use installation::installation_id;
pub use messages::{Ask, BaseUrl, EffectiveSettings, Greet, Greeting, ThreadDefaults, ThreadOverrides};
pub use sources::CatalogSources;

/// See the module's documentation.
pub struct Catalog {
    sources: CatalogSources,
    files: ConfigFiles,
    auth: CachedFile<SignIn>,
    config_lock: Duration,
}

impl Catalog {
    /// Starts the catalog on an arbiter of its own. Its mailbox is bounded by [`Limits::catalog_mailbox_messages`], which
    /// holds exactly as long as the address is shared and never cloned.
    ///
    /// # Panics
    /// Outside an actix system.
    pub fn start(sources: CatalogSources, limits: &Limits) -> Arc<Addr<Self>> {
        let catalog = Self::new(sources, limits);
        start_alone(limits.catalog_mailbox_messages, || catalog)
    }

    fn new(sources: CatalogSources, limits: &Limits) -> Self {
        let files = ConfigFiles::new(&sources);
        let auth = CachedFile::new(sources.codex_home.join("auth.json"), read_sign_in);
        Self { sources, files, auth, config_lock: limits.config_lock() }
    }

    /// What `--strict-config` asks before the server starts: are all settings known, and can they be used?
    ///
    /// # Errors
    /// With the reference program's texts.
    pub fn check_strict(sources: &CatalogSources) -> Result<(), String> {
        config::check_strict(sources)
    }

    fn greeting(&mut self) -> Greeting {
        let warnings = self.files.warnings(&self.sources);
        Greeting { notifications: warnings.into_iter().map(ServerNotification::ConfigWarning).collect() }
    }

    fn base_url(&mut self) -> Result<Option<String>, String> {
        let loaded = self.files.load(&self.sources, None, &Table::new()).map_err(|fault| fault.to_string())?;
        Ok(loaded.settings.chatgpt_base_url)
    }
}

/// A file that cannot be understood means that nobody is signed in: a client can then offer to sign in again.
fn read_sign_in(path: &Path, content: io::Result<String>) -> SignIn {
    let sign_in = content.map_err(|e| e.to_string()).and_then(|text| SignIn::from_auth_json(&text));
    sign_in.unwrap_or_else(|reason| {
        log::warn!("{} cannot be used: {reason}", path.display());
        SignIn::Nobody
    })
}

impl Actor for Catalog {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        end_alone();
    }
}

impl Handler<Ask> for Catalog {
    type Result = ();

    fn handle(&mut self, Ask { reply, request }: Ask, ctx: &mut Self::Context) {
        // Where nothing comes out, the reply is dropped, and tells the client.
        if let Some(result) = guarded("a request to the catalog", || self.answer(request)) {
            reply.post::<Self>(result, ctx);
        }
    }
}

impl Handler<ThreadDefaults> for Catalog {
    type Result = Result<EffectiveSettings, RpcError>;

    fn handle(&mut self, question: ThreadDefaults, _: &mut Self::Context) -> Self::Result {
        guarded("the settings of a new thread", || defaults::thread_settings(&self.sources, &mut self.files, question))
            .unwrap_or_else(|| Err(RpcError::internal("the settings of a new thread cannot be determined")))
    }
}

impl Handler<Greet> for Catalog {
    type Result = Greeting;

    fn handle(&mut self, _: Greet, _: &mut Self::Context) -> Greeting {
        guarded("a greeting", || self.greeting()).unwrap_or_default()
    }
}

impl Handler<BaseUrl> for Catalog {
    type Result = Result<Option<String>, String>;

    fn handle(&mut self, _: BaseUrl, _: &mut Self::Context) -> Self::Result {
        let url = guarded("the base URL", || self.base_url());
        url.unwrap_or_else(|| Err("the configuration cannot be read".to_owned()))
    }
}
