//! The table of notifications: name, audience, params.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FileChangePatchUpdated, ItemCompleted, ItemDelta, ItemStarted, McpServerStatusUpdated, McpToolCallProgress,
    NotificationAudience, NotificationRow, ReasoningSummaryPartAdded, ReasoningSummaryTextDelta, ReasoningTextDelta,
    ServerRequestResolved, TerminalInteraction, ThreadReverted, ThreadSettingsUpdated, ThreadTokenUsageUpdated,
    TurnChanged, TurnDiffUpdated, TurnFailure, TurnOfThread, TurnPlanUpdated, Warning,
};
use crate::protocol::account::{AccountLoginCompleted, AccountUpdated, RateLimitSnapshot};
use crate::protocol::command::CommandExecOutputDelta;
use crate::protocol::config::ConfigWarning;
use crate::protocol::fs::FsChanged;
use crate::protocol::remote::RemoteControlState;
use crate::protocol::search::FuzzyFileSearchSessionUpdated;
use crate::protocol::thread::{Thread, ThreadGoal, ThreadId, ThreadStatus};

notifications! {
    /// A thread was started, forked or resumed.
    "thread/started", Everyone, ThreadStarted {
        /// The thread without its turns.
        thread: Box<Thread>,
    };
    /// The status of a thread has changed.
    "thread/status/changed", Everyone, ThreadStatusChanged {
        /// Id of the thread.
        thread_id: ThreadId,
        /// The new status.
        status: ThreadStatus,
    };
    /// The title of a thread has changed.
    "thread/name/updated", Everyone, ThreadNameUpdated {
        /// Id of the thread.
        thread_id: ThreadId,
        /// The new title.
        thread_name: Option<String>,
    };
    /// A thread was archived.
    "thread/archived", Everyone, ThreadArchived {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// A thread was unarchived.
    "thread/unarchived", Everyone, ThreadUnarchived {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// A thread was deleted.
    "thread/deleted", Everyone, ThreadDeleted {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// An idle thread was unloaded.
    "thread/closed", Everyone, ThreadClosed {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// The goal of a thread has changed.
    "thread/goal/updated", Everyone, ThreadGoalUpdated {
        /// Id of the thread.
        thread_id: ThreadId,
        /// The turn in which it did; null where a client changed it.
        turn_id: Option<String>,
        /// The goal.
        goal: ThreadGoal,
    };
    /// A thread has no goal any more.
    "thread/goal/cleared", Everyone, ThreadGoalCleared {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// The queued messages of a thread have changed.
    "thread/queue/changed", Everyone, ThreadQueueChanged {
        /// Id of the thread.
        thread_id: ThreadId,
    };
    /// The last turns of a thread were removed from its history.
    "thread/reverted", Subscribers, ThreadReverted(ThreadReverted);
    /// The settings of a thread have changed.
    "thread/settings/updated", Subscribers, ThreadSettingsUpdated(Box<ThreadSettingsUpdated>);
    /// The token usage of a thread has changed.
    "thread/tokenUsage/updated", Subscribers, ThreadTokenUsageUpdated(ThreadTokenUsageUpdated);
    /// The history of a thread was compacted for the model.
    "thread/compacted" as "ContextCompacted", Subscribers, ThreadCompacted(TurnOfThread);

    /// A turn has started.
    "turn/started", Subscribers, TurnStarted(Box<TurnChanged>);
    /// A turn has ended, successfully or not.
    "turn/completed", Subscribers, TurnCompleted(Box<TurnChanged>);
    /// The plan of the agent has changed.
    "turn/plan/updated", Subscribers, TurnPlanUpdated(TurnPlanUpdated);
    /// The diff of a turn has changed.
    "turn/diff/updated", Subscribers, TurnDiffUpdated(TurnDiffUpdated);
    /// A turn has failed, or is about to retry its request to the model.
    "error", Subscribers, Error(Box<TurnFailure>);
    /// A warning about a thread for its user.
    "warning", Subscribers, Warning(Warning);

    /// An item of a turn has started.
    "item/started", Subscribers, ItemStarted(ItemStarted);
    /// An item of a turn is complete and stored.
    "item/completed", Subscribers, ItemCompleted(ItemCompleted);
    /// More text of an agent message.
    "item/agentMessage/delta" as "AgentMessageDelta", Subscribers, AgentMessageDelta(ItemDelta);
    /// More text of a proposed plan.
    "item/plan/delta" as "PlanDelta", Subscribers, PlanDelta(ItemDelta);
    /// More text of a reasoning summary.
    "item/reasoning/summaryTextDelta", Subscribers, ReasoningSummaryTextDelta(ReasoningSummaryTextDelta);
    /// A new part of a reasoning summary has started.
    "item/reasoning/summaryPartAdded", Subscribers, ReasoningSummaryPartAdded(ReasoningSummaryPartAdded);
    /// More text of the model's reasoning.
    "item/reasoning/textDelta", Subscribers, ReasoningTextDelta(ReasoningTextDelta);
    /// A command of the agent has written output.
    "item/commandExecution/outputDelta" as "CommandExecutionOutputDelta", Subscribers,
        CommandExecutionOutputDelta(ItemDelta);
    /// The agent has written input to a terminal.
    "item/commandExecution/terminalInteraction", Subscribers, TerminalInteraction(TerminalInteraction);
    /// Applying a patch has produced output.
    "item/fileChange/outputDelta" as "FileChangeOutputDelta", Subscribers, FileChangeOutputDelta(ItemDelta);
    /// A patch that the model is writing has grown.
    "item/fileChange/patchUpdated", Subscribers, FileChangePatchUpdated(FileChangePatchUpdated);
    /// An MCP tool has reported progress.
    "item/mcpToolCall/progress", Subscribers, McpToolCallProgress(McpToolCallProgress);
    /// An MCP server of a thread starts, works, or does not.
    "mcpServer/startupStatus/updated" as "McpServerStatusUpdated", Subscribers,
        McpServerStatusUpdated(McpServerStatusUpdated);
    /// A server request no longer needs an answer.
    "serverRequest/resolved", Subscribers, ServerRequestResolved(ServerRequestResolved);

    /// A command of a client has written output.
    "command/exec/outputDelta", Requester, CommandExecOutputDelta(CommandExecOutputDelta);
    /// The configuration has a fault that does not stop the server.
    "configWarning", Requester, ConfigWarning(ConfigWarning);
    /// A watched path has changed.
    "fs/changed", Requester, FsChanged(FsChanged);
    /// A search session has new results.
    "fuzzyFileSearch/sessionUpdated", Requester, FuzzyFileSearchSessionUpdated(FuzzyFileSearchSessionUpdated);
    /// A search session has sent all results of its last query.
    "fuzzyFileSearch/sessionCompleted", Requester, FuzzyFileSearchSessionCompleted {
        /// Which session.
        session_id: String,
    };
    /// A sign-in has ended, successfully or not.
    "account/login/completed", Everyone, AccountLoginCompleted(AccountLoginCompleted);
    /// Somebody else is signed in, or nobody.
    "account/updated", Everyone, AccountUpdated(AccountUpdated);
    /// A model's answer stated how much of a rate limit is used up.
    "account/rateLimits/updated", Everyone, AccountRateLimitsUpdated {
        /// The limit; what is null in it is not known, and does not take back what was.
        rate_limits: Box<RateLimitSnapshot>,
    };
    /// Other skills may be there, or others be on: whoever shows them lists them again.
    "skills/changed", Everyone, SkillsChanged {};
    /// The status of remote control has changed.
    "remoteControl/status/changed", Everyone, RemoteControlStatusChanged(RemoteControlState);
}
