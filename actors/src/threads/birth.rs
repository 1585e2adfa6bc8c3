//! Requests that make a thread and subscribe the client: `thread/start`, `thread/fork`.

use std::sync::Arc;

use super::choice::{Choice, effective, overrides};
use super::query::turn_sizes;
use super::refusals::{archived, no_rollout, session_id};
use super::view::{self, Presence, session_source};
use super::{End, Threads, Work, finish, work};
use crate::catalog::{EffectiveSettings, ThreadDefaults};
use crate::encode::is_large;
use crate::protocol::API_VERSION;
use crate::protocol::settings::ModeKind;
use crate::protocol::thread::{
    GitInfo, MultiAgentMode, ThreadForkParams, ThreadId, ThreadStartParams, ThreadStartResponse,
};
use crate::protocol::turn::{Turn, TurnStatus};
use crate::protocol::with_choices::WithChoices;
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::{Audience, Effect};
use crate::store::messages::{
    ForkThread, Forked, InsertThread, LastTokenUsage, LoadThread, ReadModelHistory, ReadTurns, Until,
};
use crate::store::{ThreadRecord, ThreadSettings};
use crate::thread::{Activity, Past};

impl Threads {
    pub(super) fn start_thread(&self, originator: String, params: ThreadStartParams) -> Result<Work, RpcError> {
        let WithChoices { mut choices, own: params } = params;
        let overrides = overrides(&mut choices);
        let config = Arc::new(overrides.config.clone());
        let defaults = ThreadDefaults { overrides, cwd: choices.cwd };
        let settings = effective(self.parts.catalog.clone(), defaults);
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
            record.settings.dynamic_tools = params.dynamic_tools.unwrap_or_default();
            record.settings.base_instructions = choices.base_instructions;
            record.settings.developer_instructions = choices.developer_instructions;
            if let Some(roots) = choices.runtime_workspace_roots {
                record.settings.runtime_workspace_roots = roots;
            }
            if !ephemeral {
                crate::store::ask(&store, InsertThread(Box::new(record.clone())))
                    .await
                    .map_err(|error| error.refusal())?;
            }
            finish(move |threads, reply| {
                let warnings = warnings.into_iter().map(ServerNotification::ConfigWarning).collect();
                let memory = ephemeral.then(Vec::new);
                threads.introduce(
                    reply,
                    Arc::new(record),
                    Past { memory, config, ..Past::default() },
                    Vec::new(),
                    warnings,
                )
            })
        })
    }

    pub(super) fn fork(&self, originator: String, params: ThreadForkParams) -> Result<Work, RpcError> {
        let WithChoices { choices, own: params } = params;
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
        let ephemeral = params.ephemeral;
        if ephemeral && !matches!(until, Until::End) {
            let text = "a fork that is not on disk takes the whole thread: leave `lastTurnId` and `beforeTurnId` out";
            return Err(RpcError::invalid_request(text));
        }
        let loaded = self.ask(LoadThread { id: source });
        let (store, catalog) = (self.parts.store.clone(), self.parts.catalog.clone());
        let (now, id) = (self.parts.clock.unix_ms(), ThreadId::new());
        let choice = Choice::of_thread(choices);
        let config = choice.config();
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
            if ephemeral {
                let turns = (!params.exclude_turns).then_some(ReadTurns { thread_id: source });
                let (memory, usage) = (ReadModelHistory { thread_id: source }, LastTokenUsage { thread_id: source });
                let copied = crate::store::ask(&store, (memory, usage, turns)).await;
                let (memory, usage, turns) = copied.map_err(|error| error.refusal())?;
                let (usage, mut turns) = (usage.map(|(_, usage)| usage), turns.unwrap_or_default());
                end_running(&mut turns);
                return finish(move |threads, reply| {
                    let past = Past { usage, goal: None, memory: Some(memory), config };
                    threads.introduce(reply, Arc::new(record), past, turns, Vec::new())
                });
            }
            let fork = ForkThread { source, fork: Box::new(record), until };
            let turns = (!params.exclude_turns).then_some(ReadTurns { thread_id: id });
            let copied = crate::store::ask(&store, (fork, LastTokenUsage { thread_id: id }, turns)).await;
            let (forked, usage, turns) = copied.map_err(|error| error.refusal())?;
            let record = match forked {
                Forked::Thread(record) => *record,
                Forked::UnknownSource => return Err(no_rollout(source)),
                Forked::UnknownTurn(turn) => {
                    return Err(RpcError::invalid_request(format_args!("turn not found: {turn}")));
                }
            };
            let (usage, turns) = (usage.map(|(_, usage)| usage), turns.unwrap_or_default());
            let past = Past { usage, config, ..Past::default() };
            finish(move |threads, reply| threads.introduce(reply, Arc::new(record), past, turns, Vec::new()))
        })
    }

    /// Loads and announces a new thread: the client receives it, is subscribed to it and receives `warnings`, and
    /// everyone is notified. `past` is what is known of it.
    fn introduce(
        &mut self,
        reply: Reply,
        record: Arc<ThreadRecord>,
        past: Past,
        turns: Vec<Turn>,
        warnings: Vec<ServerNotification>,
    ) -> End {
        let presence = if past.memory.is_some() { Presence::Ephemeral } else { Presence::Loaded }(Activity::Idle);
        let (connection, shown) = (reply.connection(), record.clone());
        let large = is_large(turn_sizes(&turns));
        let answer = move || ThreadStartResponse {
            loaded: view::loaded_thread(view::thread(&shown, presence, turns), &shown),
            multi_agent_mode: MultiAgentMode::default(),
        };
        self.respond(reply, large, answer, move |threads, answer| {
            threads.load(&record, past);
            let thread = Box::new(view::thread(&record, presence, Vec::new()));
            let subscribe = Effect::Subscribe { connection, thread: record.id };
            let begun = answer.then(subscribe).tell(Audience::Everyone, ServerNotification::ThreadStarted { thread });
            warnings.into_iter().fold(begun, |outcome, warning| outcome.tell(Audience::One(connection), warning))
        })
    }
}

/// A turn that runs in the source does not run in its fork.
fn end_running(turns: &mut [Turn]) {
    for turn in turns.iter_mut().filter(|turn| turn.status == TurnStatus::InProgress) {
        turn.status = TurnStatus::Interrupted;
    }
}

fn in_force(settings: EffectiveSettings) -> ThreadSettings {
    ThreadSettings {
        model: Some(settings.model),
        reasoning_effort: settings.reasoning_effort,
        reasoning_summary: None,
        mode: ModeKind::Default,
        mode_instructions: None,
        service_tier: settings.service_tier,
        approval_policy: settings.approval_policy,
        approvals_reviewer: settings.approvals_reviewer,
        sandbox_policy: settings.sandbox_policy,
        active_permission_profile: settings.active_permission_profile,
        runtime_workspace_roots: settings.runtime_workspace_roots,
        disabled_plugin_ids: Vec::new(),
        base_instructions: None,
        developer_instructions: None,
        dynamic_tools: Vec::new(),
    }
}
