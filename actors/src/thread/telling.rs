//! The notifications by which clients follow a turn.

use super::state::ThreadState;
use super::step::Step;
use crate::protocol::RpcError;
use crate::protocol::ServerNotification as Tell;
use crate::protocol::item::{Item, ThreadItem};
use crate::protocol::notification::{
    ItemCompleted, ItemDelta, ItemStarted, McpToolCallProgress, ReasoningSummaryPartAdded, ReasoningSummaryTextDelta,
    ReasoningTextDelta, TerminalInteraction, ThreadSettings, ThreadSettingsUpdated, TurnChanged,
};
use crate::protocol::settings::{CollaborationMode, CollaborationSettings, MultiAgentMode};
use crate::protocol::thread::{ThreadEnvironment, ThreadGoal, ThreadId, ThreadQueueAddResponse};
use crate::protocol::turn::{Turn, TurnItemsView};
use crate::reply::Reply;
use crate::router::Outcome;
use crate::store::messages::Queued;
use crate::store::{ThreadRecord, TurnRecord};
use crate::turn::Growth;

impl ThreadState {
    pub(super) fn status_changed(&self) -> Step {
        Step::Tell(Tell::ThreadStatusChanged { thread_id: self.thread_id, status: self.activity().into() })
    }

    pub(super) fn turn_changed(
        &self,
        view: TurnItemsView,
        items: Vec<ThreadItem>,
        tell: impl FnOnce(Box<TurnChanged>) -> Tell,
    ) -> Option<Step> {
        let turn = turn_object(&self.turn.as_ref()?.record, items, view);
        Some(Step::Tell(tell(Box::new(TurnChanged { thread_id: self.thread_id, turn }))))
    }

    pub(super) fn started(&self, item: &Item) -> Option<Step> {
        let (turn, encoded) = (self.turn.as_ref()?, encoded(&Item { completed_at_ms: None, ..item.clone() })?);
        Some(Step::Tell(Tell::ItemStarted(ItemStarted {
            item: encoded,
            thread_id: self.thread_id,
            turn_id: turn.record.id.clone(),
            started_at_ms: item.started_at_ms.unwrap_or_default(),
        })))
    }

    pub(super) fn completed(&self, item: &Item, encoded: ThreadItem) -> Option<Step> {
        Some(completed(self.thread_id, self.turn.as_ref()?.record.id.clone(), item, encoded))
    }
}

/// An item of a turn is complete.
pub(super) fn completed(thread_id: ThreadId, turn_id: String, item: &Item, encoded: ThreadItem) -> Step {
    Step::Tell(Tell::ItemCompleted(ItemCompleted {
        item: encoded,
        thread_id,
        turn_id,
        content_token_count: None,
        completed_at_ms: item.completed_at_ms.unwrap_or_default(),
    }))
}

/// A tool of an MCP server says how far it is.
pub(super) fn progressed(thread_id: ThreadId, turn_id: String, item_id: String, message: String) -> Tell {
    Tell::McpToolCallProgress(McpToolCallProgress { thread_id, turn_id, item_id, message })
}

/// The agent has typed into a command, or looked at it.
pub(super) fn typed(thread_id: ThreadId, turn_id: &str, item_id: String, number: u32, stdin: String) -> Tell {
    let (turn_id, process_id) = (turn_id.to_owned(), number.to_string());
    Tell::TerminalInteraction(TerminalInteraction { thread_id, turn_id, item_id, process_id, stdin })
}

/// The turn on the wire.
pub(super) fn turn_object(record: &TurnRecord, items: Vec<ThreadItem>, items_view: TurnItemsView) -> Turn {
    let seconds = |ms: Option<i64>| ms.map(|ms| ms.div_euclid(1000));
    Turn {
        id: record.id.clone(),
        root_turn_id: record.root_turn_id.clone(),
        items,
        items_view,
        status: record.status,
        error: record.error.clone(),
        started_at: seconds(record.started_at_ms),
        completed_at: seconds(record.completed_at_ms),
        duration_ms: record.completed_at_ms.zip(record.started_at_ms).map(|(end, start)| (end - start).max(0)),
    }
}

/// By what an item became longer.
pub(super) fn grown(thread_id: ThreadId, turn_id: String, item_id: &str, growth: Growth) -> Tell {
    let item_id = item_id.to_owned();
    let number = |index: usize| i64::try_from(index).unwrap_or(i64::MAX);
    match growth {
        Growth::Text(delta) => Tell::AgentMessageDelta(ItemDelta { thread_id, turn_id, item_id, delta }),
        Growth::Plan(delta) => Tell::PlanDelta(ItemDelta { thread_id, turn_id, item_id, delta }),
        Growth::Output(delta) => Tell::CommandExecutionOutputDelta(ItemDelta { thread_id, turn_id, item_id, delta }),
        Growth::SummaryPart { index } => Tell::ReasoningSummaryPartAdded(ReasoningSummaryPartAdded {
            thread_id,
            turn_id,
            item_id,
            summary_index: number(index),
        }),
        Growth::Summary { index, text: delta } => Tell::ReasoningSummaryTextDelta(ReasoningSummaryTextDelta {
            thread_id,
            turn_id,
            item_id,
            delta,
            summary_index: number(index),
        }),
        Growth::Thought { index, text: delta } => Tell::ReasoningTextDelta(ReasoningTextDelta {
            thread_id,
            turn_id,
            item_id,
            delta,
            content_index: number(index),
        }),
    }
}

/// The item as JSON text. Every item that this server makes can be encoded; one that could not is left out, and logged.
pub(super) fn encoded(item: &Item) -> Option<ThreadItem> {
    item.encode().map_err(|error| log::error!("item {} cannot be encoded: {error}", item.id)).ok()
}

/// The settings of a thread, for those who follow it.
pub(super) fn settings_updated(record: &ThreadRecord) -> Tell {
    let settings = record.settings.clone();
    let environment = ThreadEnvironment {
        environment_id: "local".to_owned(),
        cwd: record.cwd.clone(),
        runtime_workspace_roots: settings.runtime_workspace_roots,
    };
    Tell::ThreadSettingsUpdated(Box::new(ThreadSettingsUpdated {
        thread_id: record.id,
        thread_settings: ThreadSettings {
            disabled_plugin_ids: settings.disabled_plugin_ids,
            cwd: record.cwd.clone(),
            environments: Some(vec![environment]),
            approval_policy: settings.approval_policy,
            approvals_reviewer: settings.approvals_reviewer,
            sandbox_policy: settings.sandbox_policy,
            active_permission_profile: settings.active_permission_profile,
            model: settings.model.unwrap_or_default(),
            model_provider: record.model_provider.clone(),
            service_tier: settings.service_tier,
            effort: settings.reasoning_effort,
            summary: settings.reasoning_summary,
            collaboration_mode: collaboration_mode(record),
            multi_agent_mode: MultiAgentMode::default(),
            personality: None,
        },
    }))
}

/// How user and agent share the work; the model and its effort are said once more.
pub fn collaboration_mode(record: &ThreadRecord) -> CollaborationMode {
    CollaborationMode {
        mode: record.settings.mode,
        settings: CollaborationSettings {
            model: record.settings.model.clone().unwrap_or_default(),
            reasoning_effort: record.settings.reasoning_effort.clone(),
            developer_instructions: record.settings.mode_instructions.clone(),
        },
    }
}

/// The goal of a thread has changed, in this turn or by a client.
pub fn goal_updated(thread_id: ThreadId, turn_id: Option<String>, goal: ThreadGoal) -> Tell {
    Tell::ThreadGoalUpdated { thread_id, turn_id, goal }
}

/// The answer to a request that adds a message, and what is told of it.
pub fn added(thread_id: ThreadId, most: usize, queued: Result<Queued, RpcError>, reply: Reply) -> Outcome {
    match queued {
        Ok(Queued::Added(queued_submission)) => {
            reply.ok(&ThreadQueueAddResponse { queued_submission }).publish(Tell::ThreadQueueChanged { thread_id })
        }
        Ok(Queued::UnknownThread) => {
            reply.fail(&RpcError::invalid_request(format_args!("thread not found: {thread_id}")))
        }
        Ok(Queued::Full) => reply.fail(&RpcError::invalid_request(format_args!(
            "{most} messages wait already (`turns.queued_messages`); delete one, or wait"
        ))),
        Err(error) => reply.fail(&error),
    }
}
