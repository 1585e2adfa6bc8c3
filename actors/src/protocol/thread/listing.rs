//! Params of the list methods: threads, turns, items.
//!
//! Cursors are opaque to clients: a client sends back the `nextCursor` that it received. A limit of 0 means 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::id::RequestId;
use super::super::optional::{null_is_default, present};
use super::super::turn::TurnItemsView;

/// Params of `thread/list`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadListParams {
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of threads.
    pub limit: Option<u32>,
    /// Sort key; default: `created_at`.
    pub sort_key: Option<ThreadSortKey>,
    /// Sort direction; default: descending (newest first).
    pub sort_direction: Option<SortDirection>,
    /// Lists only archived threads instead of only unarchived ones.
    pub archived: Option<bool>,
    /// Text that occurs in the title or the preview; case-sensitive.
    pub search_term: Option<String>,
    /// Only threads with one of these working directories, compared as strings.
    pub cwd: Option<CwdFilter>,
    /// Only threads from these sources; default (absent or empty): the interactive sources.
    pub source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Only threads of these model providers; default (absent or empty): all.
    pub model_providers: Option<Vec<String>>,
    /// Only threads created by clients with these names. The reference program rejects this filter.
    pub originators: Option<Vec<String>>,
    /// Only these threads; at most 100. The other filters apply as well.
    pub included_thread_ids: Option<Vec<String>>,
    /// Threads to leave out; at most 100.
    pub excluded_thread_ids: Option<Vec<String>>,
    /// Only threads that the current account may see.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub current_account_only: bool,
    /// Only threads in the database, which in this server are all threads.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub use_state_db_only: bool,
    /// Only threads in this section; null: threads without a section.
    #[serde(deserialize_with = "present")]
    pub section_id: Option<Option<String>>,
    /// Only threads of this project; null: threads without a project.
    #[serde(deserialize_with = "present")]
    pub project_id: Option<Option<String>>,
    /// Only threads that were spawned by the agent of this thread.
    pub parent_thread_id: Option<String>,
    /// Only threads that were spawned below this thread, at any depth.
    pub ancestor_thread_id: Option<String>,
    /// Only threads that are attached to this thread.
    pub attached_to_thread_id: Option<String>,
    /// Includes attached threads.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub include_attached_threads: bool,
}

/// One working directory or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum CwdFilter {
    /// A single directory.
    One(String),
    /// Several directories.
    Many(Vec<String>),
}

impl CwdFilter {
    /// The directories as a list.
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(cwd) => vec![cwd],
            Self::Many(cwds) => cwds,
        }
    }
}

/// Sort key of a list of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadSortKey {
    /// Time of creation.
    #[default]
    CreatedAt,
    /// Time of the last change.
    UpdatedAt,
    /// Time of the last use.
    RecencyAt,
    /// Position in the section.
    SectionPosition,
}

/// Sort key of search results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadSearchSortKey {
    /// Time of creation.
    #[default]
    CreatedAt,
    /// Time of the last change.
    UpdatedAt,
    /// Time of the last use.
    RecencyAt,
}

/// Sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

/// Sources of threads, for filtering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadSourceKind {
    /// The terminal program.
    Cli,
    /// An editor.
    #[serde(rename = "vscode")]
    VsCode,
    /// A single non-interactive run.
    Exec,
    /// A client of an app server.
    AppServer,
    /// Any sub-agent of another thread.
    SubAgent,
    /// A sub-agent that reviews.
    SubAgentReview,
    /// A sub-agent that compacts a history.
    SubAgentCompact,
    /// A sub-agent that another thread spawned.
    SubAgentThreadSpawn,
    /// Any other sub-agent.
    SubAgentOther,
    /// Not recorded.
    Unknown,
}

impl ThreadSourceKind {
    /// Every source.
    pub const ALL: [Self; 10] = [
        Self::Cli,
        Self::VsCode,
        Self::Exec,
        Self::AppServer,
        Self::SubAgent,
        Self::SubAgentReview,
        Self::SubAgentCompact,
        Self::SubAgentThreadSpawn,
        Self::SubAgentOther,
        Self::Unknown,
    ];
}

/// Params of `thread/search`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSearchParams {
    /// Text to find; must not be empty.
    pub search_term: String,
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of threads.
    pub limit: Option<u32>,
    /// Sort key; default: `created_at`.
    pub sort_key: Option<ThreadSearchSortKey>,
    /// Sort direction; default: descending (newest first).
    pub sort_direction: Option<SortDirection>,
    /// Lists only archived threads instead of only unarchived ones.
    pub archived: Option<bool>,
    /// Only threads from these sources; default (absent or empty): the interactive sources.
    pub source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Only threads that the current account may see.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub current_account_only: bool,
    /// Includes attached threads.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub include_attached_threads: bool,
}

/// Params of `thread/search/cancel` and `thread/search/stream/cancel`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSearchCancelParams {
    /// Id of the search, which the same connection has sent.
    pub request_id: RequestId,
}

/// Params of `thread/loaded/list`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadLoadedListParams {
    /// `nextCursor` of the previous page, which is its last thread id; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of ids; default: all.
    pub limit: Option<u32>,
}

/// Params of `thread/turns/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTurnsListParams {
    /// Id of the thread.
    pub thread_id: String,
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of turns.
    pub limit: Option<u32>,
    /// Sort direction; default: descending (newest first).
    pub sort_direction: Option<SortDirection>,
    /// How much of the items to include; default: a summary.
    pub items_view: Option<TurnItemsView>,
}

/// Params of `thread/items/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadItemsListParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Only items of this turn.
    pub turn_id: Option<String>,
    /// `nextCursor` of the previous page, or an item of the turn; absent for the first page.
    pub cursor: Option<ItemsCursor>,
    /// Maximum number of items.
    pub limit: Option<u32>,
    /// Sort direction; default: ascending (oldest first).
    pub sort_direction: Option<SortDirection>,
    /// Outputs that the client would fetch separately. No effect in this server: outputs are always included.
    pub defer_output: Option<OutputDeferral>,
}

/// Where the next page of items begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[serde(expecting = "data did not match any variant of untagged enum ThreadItemsListCursor")]
#[schemars(rename = "ThreadItemsListCursor")]
pub enum ItemsCursor {
    /// `nextCursor` of the previous page.
    Opaque(String),
    /// Next to an item; requires `turnId`.
    Anchor(ItemAnchor),
}

/// The item next to which the page begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum ItemAnchor {
    /// An item by its id; the page does not include it.
    Item {
        /// Id of the item.
        item_id: String,
    },
}

/// Kinds of output to leave out.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "ThreadItemOutputDeferral")]
pub struct OutputDeferral {
    /// Output of successful commands.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    #[schemars(extend("x-experimental" = true))]
    pub command_execution: bool,
    /// Text results of successful MCP tool calls.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    #[schemars(extend("x-experimental" = true))]
    pub mcp_tool_call: bool,
}

/// Params of `thread/attachment/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadAttachmentListParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Cursor of the page: `nextCursor` of the page before.
    pub cursor: Option<String>,
    /// Maximum number of attachments.
    pub limit: Option<u32>,
}

/// Params of `thread/backgroundTerminals/terminate`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminalsTerminateParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Id of the terminal.
    pub process_id: String,
}

/// Params of `thread/backgroundTerminals/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminalsListParams {
    /// Id of the thread.
    pub thread_id: String,
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of terminals.
    pub limit: Option<u32>,
}
