//! Params of the methods that list: threads, their turns, their items.
//!
//! Cursors are opaque to clients: they return what an answer gave them. A limit of 0 is read as 1.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::optional::{null_is_default, present};
use super::super::turn::TurnItemsView;

/// Params of `thread/list`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadListParams {
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// Threads at most.
    pub limit: Option<u32>,
    /// Creation unless said otherwise.
    pub sort_key: Option<ThreadSortKey>,
    /// Latest first unless said otherwise.
    pub sort_direction: Option<SortDirection>,
    /// Only archived threads instead of only the others.
    pub archived: Option<bool>,
    /// Text that the title or the preview holds; case matters.
    pub search_term: Option<String>,
    /// Working directories, compared as they stand.
    pub cwd: Option<CwdFilter>,
    /// Kinds of origin; absent or empty means the interactive ones.
    pub source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Providers; absent or empty means all.
    pub model_providers: Option<Vec<String>>,
    /// Names of creating clients; the reference program refuses this filter.
    pub originators: Option<Vec<String>>,
    /// Threads to leave out, at most 100.
    pub excluded_thread_ids: Option<Vec<String>>,
    /// Only threads that the present account may see.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub current_account_only: bool,
    /// Only what the database knows, which here is everything.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub use_state_db_only: bool,
    /// Null asks for threads without a section.
    #[serde(deserialize_with = "present")]
    pub section_id: Option<Option<String>>,
    /// Null asks for threads without a project.
    #[serde(deserialize_with = "present")]
    pub project_id: Option<Option<String>>,
    /// Only threads that this one's agent spawned.
    pub parent_thread_id: Option<String>,
    /// The same at any depth.
    pub ancestor_thread_id: Option<String>,
    /// Only threads attached to this one.
    pub attached_to_thread_id: Option<String>,
    /// Attached threads too.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub include_attached_threads: bool,
}

/// One working directory or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum CwdFilter {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl CwdFilter {
    /// All of them.
    pub fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(cwd) => vec![cwd],
            Self::Many(cwds) => cwds,
        }
    }
}

/// What orders a list of threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadSortKey {
    /// When they were created.
    #[default]
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// When they were last used.
    RecencyAt,
    /// Their place in a section.
    SectionPosition,
}

/// What orders the threads that a search found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThreadSearchSortKey {
    /// When they were created.
    #[default]
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
    /// When they were last used.
    RecencyAt,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// Oldest first.
    Asc,
    /// Latest first.
    Desc,
}

/// Kinds of origin by which lists are filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadSourceKind {
    /// The terminal program.
    Cli,
    /// An editor.
    #[serde(rename = "vscode")]
    VsCode,
    /// A single run without a terminal.
    Exec,
    /// A client of an app server.
    AppServer,
    /// Any agent of another thread.
    SubAgent,
    /// An agent that reviews.
    SubAgentReview,
    /// An agent that compacts.
    SubAgentCompact,
    /// An agent that another thread spawned.
    SubAgentThreadSpawn,
    /// Any other agent.
    SubAgentOther,
    /// Not recorded.
    Unknown,
}

/// Params of `thread/search`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSearchParams {
    /// What to find; not empty.
    pub search_term: String,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// Threads at most.
    pub limit: Option<u32>,
    /// Creation unless said otherwise.
    pub sort_key: Option<ThreadSearchSortKey>,
    /// Latest first unless said otherwise.
    pub sort_direction: Option<SortDirection>,
    /// Only archived threads instead of only the others.
    pub archived: Option<bool>,
    /// Kinds of origin; absent or empty means the interactive ones.
    pub source_kinds: Option<Vec<ThreadSourceKind>>,
    /// Only threads that the present account may see.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub current_account_only: bool,
    /// Attached threads too.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub include_attached_threads: bool,
}

/// Params of `thread/loaded/list`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadLoadedListParams {
    /// The last thread id of an earlier page.
    pub cursor: Option<String>,
    /// Ids at most; all when absent.
    pub limit: Option<u32>,
}

/// Params of `thread/turns/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTurnsListParams {
    /// Which thread.
    pub thread_id: String,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// Turns at most.
    pub limit: Option<u32>,
    /// Latest first unless said otherwise.
    pub sort_direction: Option<SortDirection>,
    /// A summary unless said otherwise.
    pub items_view: Option<TurnItemsView>,
}

/// Params of `thread/items/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadItemsListParams {
    /// Which thread.
    pub thread_id: String,
    /// Only items of this turn.
    pub turn_id: Option<String>,
    /// Where an earlier page ended, or an item of the turn.
    pub cursor: Option<ItemsCursor>,
    /// Items at most.
    pub limit: Option<u32>,
    /// Oldest first unless said otherwise.
    pub sort_direction: Option<SortDirection>,
    /// Outputs that the client will fetch one by one; without effect here, outputs are always sent.
    pub defer_output: Option<OutputDeferral>,
}

/// Where a list of items goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[serde(expecting = "data did not match any variant of untagged enum ThreadItemsListCursor")]
#[schemars(rename = "ThreadItemsListCursor")]
pub enum ItemsCursor {
    /// What an earlier page gave.
    Opaque(String),
    /// Beside an item; needs a turn id.
    Anchor(ItemAnchor),
}

/// The item beside which a list goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum ItemAnchor {
    /// An item by its id; the list does not repeat it.
    Item {
        /// Which item.
        item_id: String,
    },
}

/// Kinds of output that a client wants left out.
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

/// Params of `thread/backgroundTerminals/list`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminalsListParams {
    /// Which thread.
    pub thread_id: String,
    /// Where an earlier page ended.
    pub cursor: Option<String>,
    /// Terminals at most.
    pub limit: Option<u32>,
}
