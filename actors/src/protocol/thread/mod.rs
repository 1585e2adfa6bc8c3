//! Threads: requests, results, and the thread itself.

mod choices;
mod conversation;
mod dynamic_tools;
mod experimental;
mod goal;
mod id;
mod listing;
mod params;
mod queue;
mod results;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod widening;

pub use choices::ThreadChoices;
pub use conversation::{ThreadInjectItemsParams, ThreadRevertParams, ThreadRevertResponse, ThreadSettingsUpdateParams};
pub use dynamic_tools::{DynamicFunction, DynamicToolNamespaceTool, DynamicToolSpec};
pub use goal::{
    ThreadGoal, ThreadGoalClearParams, ThreadGoalClearResponse, ThreadGoalGetParams, ThreadGoalGetResponse,
    ThreadGoalMutationOrigin, ThreadGoalSetParams, ThreadGoalSetResponse, ThreadGoalStatus,
};
pub use id::{InvalidThreadId, ThreadId};
pub use listing::{
    CwdFilter, ItemAnchor, ItemsCursor, OutputDeferral, SortDirection, ThreadAttachmentListParams,
    ThreadBackgroundTerminalsListParams, ThreadBackgroundTerminalsTerminateParams, ThreadItemsListParams,
    ThreadListParams, ThreadLoadedListParams, ThreadSearchCancelParams, ThreadSearchParams, ThreadSearchSortKey,
    ThreadSortKey, ThreadSourceKind, ThreadTurnsListParams,
};
pub use params::{
    ForkOptions, GitInfoUpdate, ResumeOptions, StartOptions, ThreadArchiveParams, ThreadDeleteParams, ThreadForkParams,
    ThreadIdParams, ThreadMetadataUpdateParams, ThreadNameSetParams, ThreadReadParams, ThreadReadStateUpdateParams,
    ThreadResumeParams, ThreadShellCommandParams, ThreadStartParams, ThreadStartSource, ThreadUnarchiveParams,
    ThreadUnsubscribeParams, TurnsPageParams,
};
pub use queue::{
    QueuedSubmission, ThreadQueueAddParams, ThreadQueueAddResponse, ThreadQueueDeleteParams, ThreadQueueDeleteResponse,
    ThreadQueueListParams, ThreadQueueListResponse,
};
pub use results::{
    ChangedThread, Empty, LoadedThread, Page, ReadStateOperation, ThreadArchiveResponse, ThreadAttachmentListResponse,
    ThreadBackgroundTerminal, ThreadBackgroundTerminalsListResponse, ThreadBackgroundTerminalsTerminateResponse,
    ThreadDeleteResponse, ThreadForkResponse, ThreadItemsListResponse, ThreadListResponse, ThreadLoadedListResponse,
    ThreadMetadataUpdateResponse, ThreadNameSetResponse, ThreadReadResponse, ThreadReadState,
    ThreadReadStateUpdateResponse, ThreadResumeResponse, ThreadSearchResponse, ThreadSearchResult, ThreadStartResponse,
    ThreadTurnsListResponse, ThreadUnarchiveResponse, ThreadUnsubscribeResponse, ThreadUnsubscribeStatus, TurnsPage,
    UnreadPosition,
};
pub use snapshot::{
    GitInfo, SessionSource, Thread, ThreadActiveFlag, ThreadEnvironment, ThreadHistoryMode, ThreadStatus,
};

pub use super::settings::{
    ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode, CollaborationSettings,
    GranularApproval, ModeKind, MultiAgentMode, NetworkAccess, Personality, SandboxMode, SandboxPolicy,
};
pub use super::unset::Unset;

use super::catalog::{ListMcpServerStatusParams, McpResourceReadParams, McpServerToolCallParams};
use super::review::ReviewStartParams;
use super::turn::{TurnInterruptParams, TurnStartParams, TurnSteerParams};

/// Requests about threads and turns; the variant is named after the method.
///
/// Thread ids in params are strings: a malformed one is rejected by the handler, whose text depends on the method.
#[derive(Debug)]
pub enum ThreadRequest {
    /// `thread/start`
    Start(Box<ThreadStartParams>),
    /// `thread/resume`
    Resume(Box<ThreadResumeParams>),
    /// `thread/fork`
    Fork(Box<ThreadForkParams>),
    /// `thread/read`
    Read(ThreadReadParams),
    /// `thread/list`
    List(Box<ThreadListParams>),
    /// `thread/search`
    Search(Box<ThreadSearchParams>),
    /// `thread/search/stream`
    SearchStream(Box<ThreadSearchParams>),
    /// `thread/search/cancel`
    SearchCancel(ThreadSearchCancelParams),
    /// `thread/search/stream/cancel`
    SearchStreamCancel(ThreadSearchCancelParams),
    /// `thread/loaded/list`
    LoadedList(ThreadLoadedListParams),
    /// `thread/name/set`
    NameSet(ThreadNameSetParams),
    /// `thread/metadata/update`
    MetadataUpdate(Box<ThreadMetadataUpdateParams>),
    /// `thread/archive`
    Archive(ThreadArchiveParams),
    /// `thread/unarchive`
    Unarchive(ThreadUnarchiveParams),
    /// `thread/delete`
    Delete(ThreadDeleteParams),
    /// `thread/unsubscribe`
    Unsubscribe(ThreadUnsubscribeParams),
    /// `thread/compact/start`
    CompactStart(ThreadIdParams),
    /// `thread/settings/update`
    SettingsUpdate(Box<ThreadSettingsUpdateParams>),
    /// `thread/inject_items`
    InjectItems(ThreadInjectItemsParams),
    /// `thread/revert`
    Revert(ThreadRevertParams),
    /// `thread/turns/list`
    TurnsList(ThreadTurnsListParams),
    /// `thread/items/list`
    ItemsList(Box<ThreadItemsListParams>),
    /// `thread/goal/get`
    GoalGet(ThreadGoalGetParams),
    /// `thread/goal/set`
    GoalSet(Box<ThreadGoalSetParams>),
    /// `thread/goal/clear`
    GoalClear(ThreadGoalClearParams),
    /// `thread/queue/add`
    QueueAdd(Box<ThreadQueueAddParams>),
    /// `thread/queue/list`
    QueueList(ThreadQueueListParams),
    /// `thread/queue/delete`
    QueueDelete(ThreadQueueDeleteParams),
    /// `thread/attachment/list`
    AttachmentList(ThreadAttachmentListParams),
    /// `thread/backgroundTerminals/list`
    BackgroundTerminalsList(ThreadBackgroundTerminalsListParams),
    /// `thread/backgroundTerminals/terminate`
    BackgroundTerminalsTerminate(ThreadBackgroundTerminalsTerminateParams),
    /// `thread/backgroundTerminals/clean`
    BackgroundTerminalsClean(ThreadIdParams),
    /// `thread/shellCommand`
    ShellCommand(ThreadShellCommandParams),
    /// `thread/readState/update`
    ReadStateUpdate(ThreadReadStateUpdateParams),
    /// `mcpServerStatus/list`
    McpServerStatusList(Box<ListMcpServerStatusParams>),
    /// `mcpServer/tool/call`
    McpServerToolCall(Box<McpServerToolCallParams>),
    /// `mcpServer/resource/read`
    McpResourceRead(Box<McpResourceReadParams>),
    /// `config/mcpServer/reload`
    McpServerReload(()),
    /// `turn/start`
    TurnStart(Box<TurnStartParams>),
    /// `turn/steer`
    TurnSteer(Box<TurnSteerParams>),
    /// `review/start`
    ReviewStart(Box<ReviewStartParams>),
    /// `turn/interrupt`
    TurnInterrupt(TurnInterruptParams),
}

impl ThreadRequest {
    /// The thread of the request as given by the client; `None` for requests about many or no threads.
    pub fn thread_id(&self) -> Option<&str> {
        Some(match self {
            Self::Start(_)
            | Self::List(_)
            | Self::Search(_)
            | Self::SearchStream(_)
            | Self::SearchCancel(_)
            | Self::SearchStreamCancel(_)
            | Self::LoadedList(_)
            | Self::McpServerReload(()) => return None,
            Self::McpServerStatusList(params) => params.thread_id.as_deref()?,
            Self::McpServerToolCall(params) => &params.thread_id,
            Self::McpResourceRead(params) => params.thread_id.as_deref()?,
            Self::Resume(params) => &params.own.thread_id,
            Self::Fork(params) => &params.own.thread_id,
            Self::Read(params) => &params.thread_id,
            Self::NameSet(params) => &params.thread_id,
            Self::MetadataUpdate(params) => &params.thread_id,
            Self::Archive(params)
            | Self::Unarchive(params)
            | Self::Delete(params)
            | Self::Unsubscribe(params)
            | Self::CompactStart(params) => &params.thread_id,
            Self::SettingsUpdate(params) => &params.own.thread_id,
            Self::InjectItems(params) => &params.thread_id,
            Self::Revert(params) => &params.thread_id,
            Self::TurnsList(params) => &params.thread_id,
            Self::ItemsList(params) => &params.thread_id,
            Self::GoalGet(params) => &params.thread_id,
            Self::GoalSet(params) => &params.thread_id,
            Self::GoalClear(params) => &params.thread_id,
            Self::QueueAdd(params) => &params.thread_id,
            Self::QueueList(params) => &params.thread_id,
            Self::QueueDelete(params) => &params.thread_id,
            Self::AttachmentList(params) => &params.thread_id,
            Self::BackgroundTerminalsList(params) => &params.thread_id,
            Self::BackgroundTerminalsTerminate(params) => &params.thread_id,
            Self::BackgroundTerminalsClean(params) => &params.thread_id,
            Self::ShellCommand(params) => &params.thread_id,
            Self::ReadStateUpdate(params) => &params.thread_id,
            Self::TurnStart(params) => &params.own.thread_id,
            Self::TurnSteer(params) => &params.thread_id,
            Self::ReviewStart(params) => &params.thread_id,
            Self::TurnInterrupt(params) => &params.thread_id,
        })
    }
}
