//! What the tools of a turn work with.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::approval::grants::Grants;
use crate::approval::remembered::Remembered;
use crate::command::Run;
use crate::mcp::Servers;
use crate::protocol::item::{Item, ItemKind};
use crate::protocol::server_request::ServerRequest;
use crate::protocol::thread::ThreadId;
use crate::router::{Ask, AskId};
use crate::turn::changes::Changes;
use crate::turn::messages::{AskPurpose, Report, TurnEvent};
use crate::turn::shell::{Place, ShellHandle, ShellTask, Shells};
use crate::turn::task::{TurnRules, TurnSetup};

/// Bytes of the id of a call that may name its item: every piece of a command's output carries it.
const CALL_ID_BYTES: usize = 128;

/// What the tools of a turn work with.
pub(in crate::turn) struct Toolbox {
    pub(super) setup: Arc<TurnSetup>,
    pub(super) thread_id: ThreadId,
    pub(super) turn_id: Arc<str>,
    pub(super) rules: TurnRules,
    pub(super) thread: Recipient<Report>,
    pub(super) shells: Arc<Shells>,
    /// The MCP servers of the thread.
    pub(in crate::turn) servers: Arc<Servers>,
    /// What a person has allowed in this thread.
    pub(super) allowed: Arc<Mutex<Remembered>>,
    /// What a person has granted beyond the sandbox until the turn ends.
    pub(super) granted: RefCell<Grants>,
    /// Cancelled when the calls that run are to end.
    pub(super) stop: CancellationToken,
    /// Ids of items that calls have taken.
    taken: RefCell<HashSet<String>>,
    /// Held while a client makes a call.
    pub(super) one_client_call: tokio::sync::Mutex<()>,
    /// How often clients were asked.
    asked: Cell<u64>,
    /// What this turn has changed in files.
    pub(in crate::turn) changes: Rc<Changes>,
}

/// Why nobody answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unheard {
    /// The turn is to end.
    Stopped,
    /// Everybody who was asked gave an error or nonsense.
    Refused,
    /// Nobody answered in time.
    TimeIsOver,
}

impl Toolbox {
    pub(in crate::turn) fn new(
        setup: Arc<TurnSetup>,
        thread_id: ThreadId,
        turn_id: Arc<str>,
        rules: TurnRules,
        thread: Recipient<Report>,
        (shells, servers): (Arc<Shells>, Arc<Servers>),
        allowed: Arc<Mutex<Remembered>>,
    ) -> Self {
        let (stop, taken, asked) = (CancellationToken::new(), RefCell::default(), Cell::default());
        let (commands, cwd) = (rules.commands.clone(), rules.cwd.clone());
        let changes = Changes::new(setup.clone(), turn_id.clone(), thread.clone(), commands, cwd);
        Self {
            setup,
            thread_id,
            turn_id,
            rules,
            thread,
            shells,
            servers,
            allowed,
            granted: RefCell::default(),
            stop,
            taken,
            asked,
            changes,
            one_client_call: Default::default(),
        }
    }

    /// Ends the calls that run.
    pub(in crate::turn) fn stop(&self) {
        self.stop.cancel();
    }

    /// Ends the commands that this turn has started, and returns when the end of each was told.
    pub(in crate::turn) async fn end_shells(&self) {
        self.shells.end(|shell| shell.turn_id == self.turn_id).await;
    }

    /// Tells the thread what happened. Returns when it is recorded and told. Where the thread is gone nobody can be told;
    /// the turn notices that by itself.
    pub(super) async fn report(&self, events: Vec<TurnEvent>) {
        if events.is_empty() {
            return;
        }
        let _ = self.thread.send(Report { turn_id: self.turn_id.clone(), events }).await;
    }

    /// Asks those who follow the thread, and returns the first usable answer.
    ///
    /// # Errors
    /// There is none: the turn was interrupted, everybody refused, or the time is over.
    pub(super) async fn ask<P, A>(
        &self,
        purpose: AskPurpose,
        request: &'static ServerRequest<P, A>,
        params: P,
    ) -> Result<A, Unheard>
    where
        P: Serialize + Send + 'static,
        A: DeserializeOwned + Send + 'static,
    {
        self.ask_until(purpose, request, params, std::future::pending()).await
    }

    /// The same, until `gone` is ready: then nobody wants the answer any more.
    ///
    /// # Errors
    /// See [`Self::ask`].
    pub(super) async fn ask_until<P, A>(
        &self,
        purpose: AskPurpose,
        request: &'static ServerRequest<P, A>,
        params: P,
        gone: impl Future<Output = ()>,
    ) -> Result<A, Unheard>
    where
        P: Serialize + Send + 'static,
        A: DeserializeOwned + Send + 'static,
    {
        let id = AskId(self.asked.replace(self.asked.get() + 1));
        let (ask, answer) = Ask::new(self.thread_id, id, request, params);
        self.report(vec![TurnEvent::Asking { ask, purpose }]).await;
        let limit = self.setup.limits.approval_seconds.duration();
        let time_is_over =
            async { if limit.is_zero() { std::future::pending().await } else { tokio::time::sleep(limit).await } };
        let heard = tokio::select! {
            answer = answer => match answer {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(refusal)) => {
                    log::warn!("a request to the clients of thread {} failed: {refusal}", self.thread_id);
                    Err(Unheard::Refused)
                }
                Err(_) => Err(Unheard::Refused),
            },
            () = self.stop.cancelled() => Err(Unheard::Stopped),
            () = gone => Err(Unheard::Stopped),
            () = time_is_over => Err(Unheard::TimeIsOver),
        };
        self.report(vec![TurnEvent::AskEnded(id)]).await;
        heard
    }

    /// Starts a command whose item clients know. `reads_only` says that it is known to change no files.
    pub(super) async fn start_shell(
        &self,
        place: Place,
        item: Item,
        run: Run,
        reads_only: bool,
        tty: bool,
        command: String,
    ) -> ShellHandle {
        if !reads_only {
            self.changes.begin(&self.stop).await;
        }
        let task = ShellTask {
            runner: self.setup.runner.clone(),
            clock: self.setup.clock.clone(),
            thread: Some(self.thread.clone()),
            turn_id: self.turn_id.clone(),
            item,
            run,
            tty,
            shown_bytes: self.setup.limits.command_output_bytes,
            unseen_bytes: self.rules.output_bytes,
        };
        let shell = self.shells.start(place, task, command);
        if !reads_only {
            self.changes.follow(&shell);
        }
        shell
    }

    /// An item that starts now. It has the id of its call, unless that is long or another item of this turn has it.
    pub(super) fn item(&self, call_id: String, kind: ItemKind) -> Item {
        let is_free = (1..=CALL_ID_BYTES).contains(&call_id.len()) && self.taken.borrow_mut().insert(call_id.clone());
        let id = if is_free { call_id } else { Uuid::now_v7().to_string() };
        Item { kind, id, started_at_ms: Some(self.setup.clock.unix_ms()), completed_at_ms: None }
    }

    /// What is different in the environment of a command: programs are to write plain text and to wait for nobody.
    pub(super) fn environment(&self) -> BTreeMap<String, Option<String>> {
        let fixed = [
            ("TERM", "dumb"),
            ("NO_COLOR", "1"),
            ("COLORTERM", ""),
            ("PAGER", "cat"),
            ("GIT_PAGER", "cat"),
            ("GH_PAGER", "cat"),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C.UTF-8"),
            ("LC_CTYPE", "C.UTF-8"),
            ("CODEX_CI", "1"),
        ];
        let mut variables: BTreeMap<_, _> =
            fixed.into_iter().map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).collect();
        variables.insert("CODEX_THREAD_ID".to_owned(), Some(self.thread_id.to_string()));
        variables
    }

    /// The same for a command of the agent: keys of model providers are not for it, unless the user's policy sets them.
    pub(super) fn environment_of_agent(&self) -> BTreeMap<String, Option<String>> {
        let mut variables = self.environment();
        let set = &self.rules.commands.environment.set;
        let keys = self.rules.key_variables.iter().filter(|name| !set.contains_key(*name));
        variables.extend(keys.map(|name| (name.clone(), None)));
        variables
    }

    /// The path as the model means it: relative to the working directory.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.rules.cwd.join(path)
    }

    /// Bytes of a tool's output that the model sees at most, where it wants `most_tokens`.
    pub(super) fn output_bytes(&self, most_tokens: Option<f64>) -> usize {
        let most = self.rules.output_bytes;
        // A token has about four bytes.
        most_tokens.map_or(most, |tokens| most.min((tokens.max(0.0) * 4.0) as usize))
    }
}

impl Drop for Toolbox {
    fn drop(&mut self) {
        self.changes.abandon();
    }
}
