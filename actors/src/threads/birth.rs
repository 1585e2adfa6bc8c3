//! Requests that load a thread and subscribe the client: `thread/start`, `thread/resume`, `thread/fork`.

use std::sync::Arc;

use super::choice::{Choice, effective};
use super::query::turn_sizes;
use super::refusals::{archived, no_rollout, session_id};
use super::view::{self, Presence, session_source};
use super::{End, Threads, Work, finish, work};
use crate::catalog::{EffectiveSettings, ThreadDefaults, ThreadOverrides};
use crate::encode::is_large;
use crate::protocol::API_VERSION;
use crate::protocol::thread::{
    CollaborationMode, CollaborationSettings, GitInfo, ModeKind, MultiAgentMode, SortDirection, ThreadForkParams,
    ThreadId, ThreadResumeParams, ThreadResumeResponse, ThreadStartParams, ThreadStartResponse, ThreadStatus,
    TurnsPageParams,
};
use crate::protocol::turn::{Turn, TurnItemsView};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::{Audience, Effect};
use crate::store::messages::{
    ForkThread, Forked, InsertThread, ListItems, ListTurns, ListedItems, LoadThread, ReadTurns, SaveThreadSettings,
    Until,
};
use crate::store::{PageRequest, ThreadRecord, ThreadSettings};

impl Threads {
    pub(super) fn start_thread(&self, originator: String, params: ThreadStartParams) -> Result<Work, RpcError> {
        let overrides = ThreadOverrides {
            model: params.model,
            model_provider: params.model_provider,
            service_tier: params.service_tier,
            approval_policy: params.approval_policy,
            approvals_reviewer: params.approvals_reviewer,
            sandbox: params.sandbox,
            permissions: params.permissions,
            config: params.config.unwrap_or_default(),
        };
        let settings = effective(self.parts.catalog.clone(), ThreadDefaults { cwd: params.cwd, overrides });
        let ephemeral = params.ephemeral.unwrap_or_default();
        let now = self.parts.clock.unix_ms();
        let id = ThreadId::new();
        let source = session_source(&self.parts.host.session_source);
        let store = self.parts.store.clone();
        work(async move {
            let mut settings = settings.await?;
            let warnings = std::mem::take(&mut settings.warnings);
            let mut record = ThreadRecord {
                id,
                session_id: id,
                forked_from_id: None,
                name: None,
                preview: String::new(),
                has_turns: false,
                created_at_ms: now,
                updated_at_ms: now,
                recency_at_ms: now,
                archived_at_ms: None,
                cwd: settings.cwd.clone(),
                cli_version: API_VERSION.to_owned(),
                originator: Some(originator),
                source,
                thread_source: params.thread_source,
                history_mode: params.history_mode.unwrap_or_default(),
                git: GitInfo::default(),
                daybreak_enabled: params.daybreak_enabled,
                model_provider: settings.model_provider.clone(),
                settings: in_force(settings),
            };
            record.settings.base_instructions = params.base_instructions;
            record.settings.developer_instructions = params.developer_instructions;
            if let Some(roots) = params.runtime_workspace_roots {
                record.settings.runtime_workspace_roots = roots;
            }
            if !ephemeral {
                crate::store::ask(&store, InsertThread(Box::new(record.clone())))
                    .await
                    .map_err(|error| super::unavailable(&error))?;
            }
            finish(move |threads, reply| {
                let warnings = warnings.into_iter().map(ServerNotification::ConfigWarning).collect();
                threads.introduce(reply, Arc::new(record), ephemeral, Vec::new(), warnings)
            })
        })
    }

    pub(super) fn resume(&self, mut params: ThreadResumeParams) -> Result<Work, RpcError> {
        if params.history.is_some() || params.path.is_some() {
            return Err(RpcError::invalid_request("this server resumes threads by `threadId` only"));
        }
        let id = session_id(&params.thread_id)?;
        if self.is_ephemeral(id) {
            // It has no history to resume.
            return Err(no_rollout(id));
        }
        let known = self.ask(LoadThread { id });
        let in_memory = self.describe(id);
        let (store, catalog) = (self.parts.store.clone(), self.parts.catalog.clone());
        let choice = Choice::of_resume(&mut params);
        let turns = (!params.exclude_turns).then(|| self.ask(ReadTurns { thread_id: id }));
        let page = params.initial_turns_page.map(|page| self.ask(turns_page(id, page)));
        let last_turn = self.ask(turns_page(id, TurnsPageParams { limit: Some(1), ..TurnsPageParams::default() }));
        let last_item = self.ask(last_item(id));
        work(async move {
            let mut record = known.await?.ok_or_else(|| no_rollout(id))?;
            if record.archived_at_ms.is_some() {
                return Err(archived(id));
            }
            // The client's choices apply to a thread that is being loaded; a loaded thread keeps its settings.
            let loaded = match in_memory {
                Some(description) => Some(description.await?),
                None => {
                    let stored = record.clone();
                    choice.apply(&mut record, catalog).await?;
                    if record != stored {
                        let chosen = SaveThreadSettings(Box::new(record.clone()));
                        crate::store::ask(&store, chosen).await.map_err(|error| super::unavailable(&error))?;
                    }
                    None
                }
            };
            let turns = match turns {
                Some(turns) => turns.await?,
                None => Vec::new(),
            };
            let initial_turns_page = match page {
                Some(page) => page.await?,
                None => None,
            };
            let turns_backwards_cursor = last_turn.await?.and_then(|page| page.backwards_cursor);
            let items_backwards_cursor = match last_item.await? {
                ListedItems::Page(page) => page.backwards_cursor,
                ListedItems::UnknownThread | ListedItems::UnknownAnchor => None,
            };
            finish(move |threads, reply| {
                // Another request may have loaded it meanwhile.
                let was_loaded = threads.loaded.contains_key(&id);
                let in_force = loaded.unwrap_or_else(|| Arc::new(record.clone()));
                threads.load(&in_force, false);
                let presence = threads.presence(id);
                let page = initial_turns_page.iter().flat_map(|page| &page.data);
                let large = is_large(turn_sizes(turns.iter().chain(page)));
                let resumed = move || ThreadResumeResponse {
                    collaboration_mode: Some(collaboration_mode(&in_force)),
                    loaded: view::loaded_thread(view::thread(&record, presence, turns), &in_force),
                    multi_agent_mode: MultiAgentMode::default(),
                    initial_turns_page,
                    turns_backwards_cursor,
                    items_backwards_cursor,
                };
                let subscribe = Effect::Subscribe { connection: reply.connection(), thread: id };
                threads.respond(reply, large, resumed, move |_, answer| {
                    let outcome = answer.then(subscribe);
                    if was_loaded {
                        return outcome;
                    }
                    let news = ServerNotification::ThreadStatusChanged { thread_id: id, status: ThreadStatus::Idle };
                    outcome.tell(Audience::Everyone, news)
                })
            })
        })
    }

    pub(super) fn fork(&self, originator: String, mut params: ThreadForkParams) -> Result<Work, RpcError> {
        if params.path.is_some() {
            return Err(RpcError::invalid_request("this server forks threads by `threadId` only"));
        }
        let source = session_id(&params.thread_id)?;
        let until = match (&params.last_turn_id, &params.before_turn_id) {
            (Some(_), Some(_)) => {
                return Err(RpcError::invalid_request("`lastTurnId` cannot be combined with `beforeTurnId`"));
            }
            (Some(last), None) => Until::Through(last.clone()),
            (None, Some(before)) => Until::Before(before.clone()),
            (None, None) => Until::End,
        };
        if params.ephemeral {
            return Err(RpcError::invalid_request("this server cannot fork into an ephemeral thread yet"));
        }
        let loaded = self.ask(LoadThread { id: source });
        let (store, catalog) = (self.parts.store.clone(), self.parts.catalog.clone());
        let (now, id) = (self.parts.clock.unix_ms(), ThreadId::new());
        let choice = Choice::of_fork(&mut params);
        work(async move {
            let mut record = loaded.await?.ok_or_else(|| no_rollout(source))?;
            if record.archived_at_ms.is_some() {
                return Err(archived(source));
            }
            choice.apply(&mut record, catalog).await?;
            record = ThreadRecord {
                id,
                session_id: id,
                forked_from_id: Some(source),
                name: None,
                created_at_ms: now,
                updated_at_ms: now,
                recency_at_ms: now,
                archived_at_ms: None,
                originator: Some(originator),
                thread_source: params.thread_source,
                ..record
            };
            let ask = |error| super::unavailable(&error);
            let fork = ForkThread { source, fork: Box::new(record), until };
            let record = match crate::store::ask(&store, fork).await.map_err(ask)? {
                Forked::Thread(record) => *record,
                Forked::UnknownSource => return Err(no_rollout(source)),
                Forked::UnknownTurn(turn) => return Err(RpcError::invalid_request(format!("turn not found: {turn}"))),
            };
            let turns = match params.exclude_turns {
                false => crate::store::ask(&store, ReadTurns { thread_id: id }).await.map_err(ask)?,
                true => Vec::new(),
            };
            finish(move |threads, reply| threads.introduce(reply, Arc::new(record), false, turns, Vec::new()))
        })
    }

    /// Loads and announces a new thread: the client receives it, is subscribed to it and receives `warnings`, and
    /// everyone is notified.
    fn introduce(
        &mut self,
        reply: Reply,
        record: Arc<ThreadRecord>,
        ephemeral: bool,
        turns: Vec<Turn>,
        warnings: Vec<ServerNotification>,
    ) -> End {
        let presence = if ephemeral { Presence::Ephemeral } else { Presence::Loaded };
        let (connection, shown) = (reply.connection(), record.clone());
        let large = is_large(turn_sizes(&turns));
        let answer = move || ThreadStartResponse {
            loaded: view::loaded_thread(view::thread(&shown, presence, turns), &shown),
            multi_agent_mode: MultiAgentMode::default(),
        };
        self.respond(reply, large, answer, move |threads, answer| {
            threads.load(&record, ephemeral);
            let thread = Box::new(view::thread(&record, presence, Vec::new()));
            let subscribe = Effect::Subscribe { connection, thread: record.id };
            let begun = answer.then(subscribe).tell(Audience::Everyone, ServerNotification::ThreadStarted { thread });
            warnings.into_iter().fold(begun, |outcome, warning| outcome.tell(Audience::One(connection), warning))
        })
    }
}

fn in_force(settings: EffectiveSettings) -> ThreadSettings {
    ThreadSettings {
        model: Some(settings.model),
        reasoning_effort: settings.reasoning_effort,
        service_tier: settings.service_tier,
        approval_policy: settings.approval_policy,
        approvals_reviewer: settings.approvals_reviewer,
        sandbox_policy: settings.sandbox_policy,
        active_permission_profile: settings.active_permission_profile,
        runtime_workspace_roots: settings.runtime_workspace_roots,
        disabled_plugin_ids: Vec::new(),
        base_instructions: None,
        developer_instructions: None,
    }
}

fn collaboration_mode(in_force: &ThreadRecord) -> CollaborationMode {
    CollaborationMode {
        mode: ModeKind::Default,
        settings: CollaborationSettings {
            model: in_force.settings.model.clone().unwrap_or_default(),
            reasoning_effort: in_force.settings.reasoning_effort.clone(),
            developer_instructions: None,
        },
    }
}

fn turns_page(thread_id: ThreadId, page: TurnsPageParams) -> ListTurns {
    let direction = page.sort_direction.unwrap_or(SortDirection::Desc);
    let page_request = PageRequest { cursor: None, limit: page.limit, direction };
    ListTurns { thread_id, page: page_request, items_view: page.items_view.unwrap_or(TurnItemsView::Summary) }
}

fn last_item(thread_id: ThreadId) -> ListItems {
    let page = PageRequest { cursor: None, limit: Some(1), direction: SortDirection::Desc };
    ListItems { thread_id, turn_id: None, anchor: None, page }
}
