//! The one table of what the server tells: name, audience, params.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    FileChangePatchUpdated, ItemCompleted, ItemDelta, ItemStarted, McpToolCallProgress, NotificationAudience,
    NotificationRow, ReasoningSummaryPartAdded, ReasoningSummaryTextDelta, ReasoningTextDelta, ServerRequestResolved,
    TerminalInteraction, ThreadReverted, ThreadSettingsUpdated, ThreadTokenUsageUpdated, TurnChanged, TurnDiffUpdated,
    TurnFailure, TurnOfThread, TurnPlanUpdated, Warning,
};
use crate::protocol::command::CommandExecOutputDelta;
use crate::protocol::config::ConfigWarning;
use crate::protocol::fs::FsChanged;
use crate::protocol::remote::RemoteControlState;
use crate::protocol::search::FuzzyFileSearchSessionUpdated;
use crate::protocol::thread::{Thread, ThreadId, ThreadStatus};

notifications! {
    /// A thread was started, forked or resumed.
    "thread/started", Everyone, ThreadStarted {
        /// The thread without its turns.
        thread: Box<Thread>,
    };
    /// A thread began to work, came to rest, or left memory.
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
    /// A thread is no longer archived.
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
    /// The last turns of a thread were removed from its history.
    "thread/reverted", Subscribers, ThreadReverted(ThreadReverted);
    /// The settings of a thread changed.
    "thread/settings/updated", Subscribers, ThreadSettingsUpdated(Box<ThreadSettingsUpdated>);
    /// A request to the model was answered, and this is what it used.
    "thread/tokenUsage/updated", Subscribers, ThreadTokenUsageUpdated(ThreadTokenUsageUpdated);
    /// The history of a thread was summarised for the model.
    "thread/compacted" as "ContextCompacted", Subscribers, ThreadCompacted(TurnOfThread);

    /// A turn runs now.
    "turn/started", Subscribers, TurnStarted(Box<TurnChanged>);
    /// A turn ended, in whichever way.
    "turn/completed", Subscribers, TurnCompleted(Box<TurnChanged>);
    /// The agent has another plan.
    "turn/plan/updated", Subscribers, TurnPlanUpdated(TurnPlanUpdated);
    /// The files that the turn patched differ from how it found them.
    "turn/diff/updated", Subscribers, TurnDiffUpdated(TurnDiffUpdated);
    /// A turn fails, or asks the model once more.
    "error", Subscribers, Error(Box<TurnFailure>);
    /// Something about a thread that its user should know.
    "warning", Subscribers, Warning(Warning);

    /// An item of a turn began.
    "item/started", Subscribers, ItemStarted(ItemStarted);
    /// An item of a turn is complete, and on disk.
    "item/completed", Subscribers, ItemCompleted(ItemCompleted);
    /// The agent said more.
    "item/agentMessage/delta" as "AgentMessageDelta", Subscribers, AgentMessageDelta(ItemDelta);
    /// The plan that the agent proposes became longer.
    "item/plan/delta" as "PlanDelta", Subscribers, PlanDelta(ItemDelta);
    /// The summary of the model's thoughts became longer.
    "item/reasoning/summaryTextDelta", Subscribers, ReasoningSummaryTextDelta(ReasoningSummaryTextDelta);
    /// The summary of the model's thoughts has a further part.
    "item/reasoning/summaryPartAdded", Subscribers, ReasoningSummaryPartAdded(ReasoningSummaryPartAdded);
    /// The model's thoughts became longer.
    "item/reasoning/textDelta", Subscribers, ReasoningTextDelta(ReasoningTextDelta);
    /// A command of the agent wrote something.
    "item/commandExecution/outputDelta" as "CommandExecutionOutputDelta", Subscribers,
        CommandExecutionOutputDelta(ItemDelta);
    /// The agent wrote into a terminal.
    "item/commandExecution/terminalInteraction", Subscribers, TerminalInteraction(TerminalInteraction);
    /// The patching of files wrote something.
    "item/fileChange/outputDelta" as "FileChangeOutputDelta", Subscribers, FileChangeOutputDelta(ItemDelta);
    /// A patch became longer while the model writes it.
    "item/fileChange/patchUpdated", Subscribers, FileChangePatchUpdated(FileChangePatchUpdated);
    /// A tool of an MCP server says how far it is.
    "item/mcpToolCall/progress", Subscribers, McpToolCallProgress(McpToolCallProgress);
    /// A request of the server needs no answer any more.
    "serverRequest/resolved", Subscribers, ServerRequestResolved(ServerRequestResolved);

    /// A command that a client runs wrote something.
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
    /// Remote control has another status.
    "remoteControl/status/changed", Everyone, RemoteControlStatusChanged(RemoteControlState);
}
