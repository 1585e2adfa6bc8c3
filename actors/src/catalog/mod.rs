//! The catalog: answers what clients ask about the server and its user when they start, and provides the settings of
//! new threads.
//!
//! It owns `config.toml`, `auth.json` and `installation_id` in `$CODEX_HOME`, which it shares with the reference
//! program. A file is read again when it has changed since the last request, so a correction needs no restart.
//!
//! Files in `$CODEX_HOME` are read directly. Files of a project are wherever its client chooses, possibly on a disk
//! that does not respond. So requests about projects, and changes of the configuration, which wait for other programs,
//! run on [`Workers`]. The requests of one client are answered in order ([`Desk`]).

mod answers;
mod config;
mod defaults;
mod installation;
mod lock;
mod messages;
mod model_list;
mod models;
mod outlook;
mod page;
mod providers;
mod reader;
mod sign_in;
mod skills;
mod sources;
#[cfg(test)]
mod tests;
mod waiting_sign_in;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::ConnectionId;
use crate::context::Context;
use crate::desk::Desk;
use crate::limits::Limits;
use crate::mailbox::start_alone;
use crate::panics::{guarded, guarded_future};
use crate::protocol::catalog::{CatalogAnswer, CatalogRequest};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Asked;
use crate::skills::SkillBounds;
use crate::vital::Vitals;
use crate::workers::Workers;
use lock::ConfigLock;
use reader::Reader;
use sign_in::WaitingSignIn;

pub use config::split_assignment;
pub use installation::installation_id;
pub use messages::{
    AskMcpServers, AskModelRules, BaseUrl, EffectiveSettings, Greet, Greeting, McpServers, ModelRules, ThreadDefaults,
    ThreadOverrides,
};
pub use outlook::Outlook;
pub(crate) use page::page;
pub use sources::CatalogSources;

/// See the module's documentation.
pub struct Catalog {
    sources: Arc<CatalogSources>,
    /// For requests that are answered directly.
    reader: Reader,
    /// For the workers: each takes one and returns it, so that cached files are kept.
    readers: Arc<Mutex<Vec<Reader>>>,
    workers: Workers,
    desks: HashMap<ConnectionId, Desk<Asked<CatalogRequest>>>,
    config_lock: ConfigLock,
    config_lock_time: Duration,
    /// The sign-in that waits for its user.
    waiting: Option<WaitingSignIn>,
}

impl Catalog {
    /// Starts the catalog on an arbiter of its own. Its mailbox is bounded by [`Limits::catalog_mailbox_messages`], as
    /// long as the address is shared and never cloned. The requests on workers are bounded by the requests that
    /// connections may have in flight.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn start(sources: CatalogSources, limits: &Limits, vitals: &Vitals) -> Arc<Addr<Self>> {
        let sources = Arc::new(CatalogSources { skill_bounds: SkillBounds::of(limits), ..sources });
        let catalog = Self {
            reader: Reader::new(sources.clone()),
            readers: Arc::default(),
            workers: Workers::new(limits.catalog_workers, limits.file_patience_seconds.duration()),
            desks: HashMap::new(),
            config_lock: ConfigLock::new(sources.codex_home.clone()),
            config_lock_time: limits.config_lock_seconds.duration(),
            waiting: None,
            sources,
        };
        start_alone(limits.catalog_mailbox_messages, vitals.watch("catalog"), || catalog)
    }

    /// The check behind `--strict-config`: all settings must be known and valid.
    ///
    /// # Errors
    /// The texts are the reference program's.
    pub fn check_strict(sources: &CatalogSources) -> Result<(), String> {
        config::check_strict(sources)
    }

    /// Everything that [`Self::check_strict`] rejects, and what only the sources together show, such as a model provider that
    /// nothing describes.
    ///
    /// # Errors
    /// The fault, with its file and line where it has one.
    pub fn check(sources: &CatalogSources) -> Result<(), String> {
        config::check(sources)
    }

    /// Starts the requests of a connection, up to one that runs on a worker.
    fn begin(&mut self, connection: ConnectionId, ctx: &mut Context<Self>) {
        while let Some((Asked { reply, request }, _)) = self.desks.get_mut(&connection).and_then(Desk::begin) {
            let Some((reply, request)) = self.cancel_sign_in(reply, request, ctx) else {
                self.end(connection);
                continue;
            };
            if let Some(place) = self.signs_in_to_chatgpt(&request) {
                self.sign_in_to_chatgpt(reply, place, ctx);
                return;
            }
            if takes_time(&request) {
                let answer = wrap_future::<_, Self>(self.answer_apart(request));
                ctx.spawn(answer.map(move |result, catalog, ctx| {
                    let news = result.as_ref().map(news).unwrap_or_default();
                    reply.post_with::<Self>(result, news, ctx);
                    catalog.end(connection);
                    catalog.begin(connection, ctx);
                }));
                return;
            }
            if let Some(question) = self.models_to_ask_for(&request) {
                let answer = wrap_future::<_, Self>(guarded_future("a list of models", question.ask()));
                ctx.spawn(answer.map(move |result, catalog, ctx| {
                    if let Some(result) = result {
                        reply.post::<Self>(result, ctx);
                    }
                    catalog.end(connection);
                    catalog.begin(connection, ctx);
                }));
                return;
            }
            // After a panic the reply is dropped, which answers -32603.
            if let Some(result) = guarded("a request to the catalog", || self.reader.answer(request)) {
                reply.post::<Self>(result, ctx);
            }
            self.end(connection);
        }
    }

    fn models_to_ask_for(&mut self, request: &CatalogRequest) -> Option<model_list::Question> {
        match request {
            CatalogRequest::ModelList(params) => guarded("a list of models", || self.reader.models_to_ask_for(params))?,
            _ => None,
        }
    }

    fn end(&mut self, connection: ConnectionId) {
        if let Some(desk) = self.desks.get_mut(&connection) {
            desk.end();
            if desk.is_idle() {
                self.desks.remove(&connection);
            }
        }
    }

    fn answer_apart(&self, request: CatalogRequest) -> impl Future<Output = Result<CatalogAnswer, RpcError>> + use<> {
        let lock = writes(&request).then(|| self.config_lock.clone());
        let deadline = Instant::now() + self.config_lock_time;
        let apart = self.apart();
        async move {
            let lock = match lock {
                Some(lock) => Some(lock.take(deadline).await?),
                None => None,
            };
            let answer = apart.ask("a request to the catalog", |reader| reader.answer(request)).await;
            drop(lock);
            answer
        }
    }

    fn apart(&self) -> Apart {
        Apart { sources: self.sources.clone(), readers: self.readers.clone(), workers: self.workers.clone() }
    }
}

/// Whether a request is about a project, waits for another program, or changes something about which everyone hears.
fn takes_time(request: &CatalogRequest) -> bool {
    match request {
        CatalogRequest::ConfigRead(params) => params.cwd.is_some(),
        CatalogRequest::PermissionProfileList(params) => params.cwd.is_some(),
        CatalogRequest::AccountLoginStart(_)
        | CatalogRequest::AccountLogout(_)
        | CatalogRequest::SkillsList(_)
        | CatalogRequest::SkillsExtraRootsSet(_) => true,
        request => writes(request),
    }
}

/// What everyone is told after an answer.
fn news(answer: &CatalogAnswer) -> Vec<ServerNotification> {
    match answer {
        CatalogAnswer::SkillsConfigWrite(_) | CatalogAnswer::SkillsExtraRootsSet(_) => {
            vec![ServerNotification::SkillsChanged {}]
        }
        answer => sign_in::news(answer),
    }
}

fn writes(request: &CatalogRequest) -> bool {
    matches!(
        request,
        CatalogRequest::ConfigValueWrite(_)
            | CatalogRequest::ConfigBatchWrite(_)
            | CatalogRequest::ModelProviderDefaultSet(_)
            | CatalogRequest::SkillsConfigWrite(_)
    )
}

/// Runs requests on workers.
struct Apart {
    sources: Arc<CatalogSources>,
    readers: Arc<Mutex<Vec<Reader>>>,
    workers: Workers,
}

impl Apart {
    async fn ask<T: Send + 'static>(
        self,
        what: &'static str,
        question: impl FnOnce(&mut Reader) -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let Self { sources, readers, workers } = self;
        let work = move |_: &_| {
            let reader = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = reader.unwrap_or_else(|| Reader::new(sources));
            let answer = question(&mut reader);
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            answer
        };
        let done = workers.run(what, &CancellationToken::new(), work).await;
        done.unwrap_or_else(|unfinished| Err(unfinished.explain("the configuration of the project")))
    }
}

impl Actor for Catalog {
    type Context = Context<Self>;
}

impl Handler<Asked<CatalogRequest>> for Catalog {
    type Result = ();

    fn handle(&mut self, ask: Asked<CatalogRequest>, ctx: &mut Self::Context) {
        let connection = ask.reply.connection();
        self.desks.entry(connection).or_default().take(ask);
        self.begin(connection, ctx);
    }
}

impl Handler<ThreadDefaults> for Catalog {
    type Result = ResponseFuture<Result<EffectiveSettings, RpcError>>;

    fn handle(&mut self, question: ThreadDefaults, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.apart().ask("the settings of a thread", |reader| reader.thread_settings(question)))
    }
}

impl Handler<AskModelRules> for Catalog {
    type Result = ResponseFuture<Result<ModelRules, RpcError>>;

    fn handle(&mut self, question: AskModelRules, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.apart().ask("the settings of a model", move |reader| reader.model_rules(&question)))
    }
}

impl Handler<AskMcpServers> for Catalog {
    type Result = McpServers;

    fn handle(&mut self, _: AskMcpServers, _: &mut Self::Context) -> McpServers {
        McpServers(Arc::new(self.reader.settings(None).mcp_servers))
    }
}

impl Handler<Greet> for Catalog {
    type Result = ResponseFuture<Greeting>;

    fn handle(&mut self, _: Greet, _: &mut Self::Context) -> Self::Result {
        let greeting = self.apart().ask("a greeting", |reader| Ok(reader.greeting()));
        Box::pin(async move { greeting.await.unwrap_or_default() })
    }
}

impl Handler<BaseUrl> for Catalog {
    type Result = Result<Option<String>, String>;

    fn handle(&mut self, _: BaseUrl, _: &mut Self::Context) -> Self::Result {
        self.reader.base_url()
    }
}
