//! The messages of the Store, one struct each.
//!
//! `Threads`, the loaded `Thread`s and `RemoteControl` send them with [`ask`](super::ask). When the Store's mailbox is
//! full, the sender gets [`StoreError::Busy`](super::StoreError::Busy) at once and nothing is done; the client is asked
//! to retry. A write is answered once it is on disk. Times are Unix milliseconds.

mod devices;
mod goals;
mod queue;

pub use devices::{DeviceRecord, ForgetDevice, ListDevices, LoadDevices, SaveDevice, UseDevice};
pub use goals::{ChangeGoal, ClearGoal, GoalChange, ReadGoal};
pub use queue::{AddQueued, DeleteQueued, ListQueued, Queued};

use super::cursor::PageRequest;
use super::record::{EnrollmentKey, ThreadRecord, TurnRecord};
use crate::protocol::model::HistoryItem;
use crate::protocol::thread::{GitInfoUpdate, ItemAnchor, ThreadId, ThreadSortKey, ThreadSourceKind};
use crate::protocol::turn::{ThreadItem, TurnItemsView};

/// Stores a new thread. An existing id is an internal error.
#[derive(Debug)]
pub struct InsertThread(pub Box<ThreadRecord>);

/// Loads the thread with this id, archived or not. The answer is `None` if it does not exist.
#[derive(Clone, Copy, Debug)]
pub struct LoadThread {
    /// Id of the thread.
    pub id: ThreadId,
}

/// Stores what a client has chosen for an existing thread: its working directory, provider and settings. Answers
/// whether the thread exists.
#[derive(Debug)]
pub struct SaveThreadSettings(pub Box<ThreadRecord>);

/// Sets the title of a thread. The answer is whether the thread exists.
#[derive(Debug)]
pub struct SetThreadName {
    /// Id of the thread.
    pub id: ThreadId,
    /// The new title.
    pub name: String,
    /// Time of the change.
    pub at_ms: i64,
}

/// Changes the metadata of a thread. The answer is the changed thread, or `None` if it does not exist.
#[derive(Debug)]
pub struct UpdateThreadMetadata {
    /// Id of the thread.
    pub id: ThreadId,
    /// Absent members are unchanged, null members are cleared.
    pub git: GitInfoUpdate,
    /// `None` changes nothing.
    pub daybreak_enabled: Option<bool>,
    /// Time of the change.
    pub at_ms: i64,
}

/// Archives or unarchives a thread. The answer is the changed thread, or `None` if it does not exist or is in that
/// state already.
#[derive(Clone, Copy, Debug)]
pub struct SetArchived {
    /// Id of the thread.
    pub id: ThreadId,
    /// True to archive, false to unarchive.
    pub archived: bool,
    /// Time of the change.
    pub at_ms: i64,
}

/// Deletes a thread and its history. The answer is whether the thread existed.
#[derive(Clone, Copy, Debug)]
pub struct DeleteThread {
    /// Id of the thread.
    pub id: ThreadId,
}

/// Copies history, including the model-side history, into a new thread, whose record the sender has derived from the
/// source's.
#[derive(Debug)]
pub struct ForkThread {
    /// The thread to copy from.
    pub source: ThreadId,
    /// The new thread. `has_turns` is set according to the copied history; without turns the preview is cleared.
    pub fork: Box<ThreadRecord>,
    /// How much to copy.
    pub until: Until,
}

/// How much of a history a fork copies, or a revert keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// The whole history.
    End,
    /// Up to and including this turn.
    Through(String),
    /// Up to, but not including, this turn.
    Before(String),
}

/// The outcome of a fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The new thread.
    Thread(Box<ThreadRecord>),
    /// The source does not exist.
    UnknownSource,
    /// The source does not contain this turn.
    UnknownTurn(String),
}

/// A filter of threads. Empty lists do not filter.
#[derive(Clone, Debug, Default)]
pub struct ThreadFilter {
    /// Lists only archived threads instead of only unarchived ones.
    pub archived: bool,
    /// Working directories.
    pub cwds: Vec<String>,
    /// Sources; empty for the interactive ones: the terminal program, editors, and named sources.
    pub source_kinds: Vec<ThreadSourceKind>,
    /// Model providers.
    pub model_providers: Vec<String>,
    /// Names of creating clients.
    pub originators: Vec<String>,
    /// Only these threads; `None` does not filter.
    pub included: Option<Vec<ThreadId>>,
    /// Threads to leave out.
    pub excluded: Vec<ThreadId>,
}

/// Lists the threads that have a turn or a name.
#[derive(Clone, Debug)]
pub struct ListThreads {
    /// Filter of the threads.
    pub filter: ThreadFilter,
    /// Text that occurs in the title or the preview; case-sensitive.
    pub search_term: Option<String>,
    /// Sort key. There are no sections, so the position in a section sorts by creation.
    pub sort_key: ThreadSortKey,
    /// The page to return.
    pub page: PageRequest,
}

/// Lists the threads whose title, preview or history contains a text; ASCII letters match in either case.
#[derive(Clone, Debug)]
pub struct SearchThreads {
    /// Filter of the threads.
    pub filter: ThreadFilter,
    /// The text to find; not empty.
    pub search_term: String,
    /// Sort key.
    pub sort_key: ThreadSortKey,
    /// The page to return.
    pub page: PageRequest,
}

/// Stores the progress of a turn in one write: its state, its new and changed items, and the change of the model-side
/// history. The answer is whether the thread exists.
///
/// A new turn becomes the last of its thread, a new item the last of all items. The first user message becomes the
/// preview of the thread. The times of the thread's last use and change are updated.
#[derive(Debug)]
pub struct RecordTurn {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The turn, new or in its new state.
    pub turn: TurnRecord,
    /// New and changed items, in order; other items are unchanged.
    pub items: Vec<ThreadItem>,
    /// The change of the model-side history.
    pub model_history: HistoryChange,
    /// The queued message that the turn says, which leaves the queue.
    pub dequeued: Option<String>,
    /// Time of the change; it also becomes the time of the thread's last change and use.
    pub at_ms: i64,
}

/// Changes the model-side history outside a turn. The answer is whether the thread exists.
///
/// Added items belong to the latest turn of the thread, and are removed when that turn is reverted.
#[derive(Debug)]
pub struct RecordModelHistory {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The change.
    pub change: HistoryChange,
}

/// A change of the model-side history.
#[derive(Clone, Debug)]
pub enum HistoryChange {
    /// Append these items. Without items nothing changes.
    Append(Vec<HistoryItem>),
    /// A compaction: replace the history by these items. Without items nothing changes. The earlier items are kept, and
    /// return when the turn of the compaction is reverted.
    Replace(Vec<HistoryItem>),
}

impl HistoryChange {
    /// No change.
    pub const fn none() -> Self {
        Self::Append(Vec::new())
    }
}

/// Loads the model-side history of a thread, oldest item first; empty if the thread does not exist.
#[derive(Clone, Copy, Debug)]
pub struct ReadModelHistory {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// Loads the token usage of a thread, and the turn after which it was known; `None` before the model's first report.
#[derive(Clone, Copy, Debug)]
pub struct LastTokenUsage {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// Deletes the latest turns of a thread with their items, their model-side history, and their compactions.
#[derive(Clone, Debug)]
pub struct RevertThread {
    /// Id of the thread.
    pub id: ThreadId,
    /// How much to keep.
    pub until: Until,
    /// Time of the change.
    pub at_ms: i64,
}

/// The outcome of a revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// The changed thread.
    Thread(Box<ThreadRecord>),
    /// The thread does not exist.
    UnknownThread,
    /// The thread does not contain this turn.
    UnknownTurn(String),
}

/// Lists the turns of a thread. The answer is `None` if the thread does not exist.
#[derive(Clone, Debug)]
pub struct ListTurns {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The page to return.
    pub page: PageRequest,
    /// How much of the items to include.
    pub items_view: TurnItemsView,
}

/// Loads all turns of a thread with all their items, oldest first. The answer is empty if the thread does not exist.
#[derive(Clone, Copy, Debug)]
pub struct ReadTurns {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// Lists the items of a thread; an unknown turn has none.
#[derive(Clone, Debug)]
pub struct ListItems {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Only items of this turn.
    pub turn_id: Option<String>,
    /// Starts next to this item of the turn if the page has no cursor.
    pub anchor: Option<ItemAnchor>,
    /// The page to return.
    pub page: PageRequest,
}

/// The outcome of a list of items.
#[derive(Clone, Debug)]
pub enum ListedItems {
    /// The page.
    Page(crate::protocol::thread::ThreadItemsListResponse),
    /// The thread does not exist.
    UnknownThread,
    /// The turn does not contain this item.
    UnknownAnchor,
}

/// Loads the enrollment with this key. The answer is `None` if there is none.
#[derive(Clone, Debug)]
pub struct LoadEnrollment {
    /// Key of the enrollment.
    pub key: EnrollmentKey,
}

/// Stores an enrollment, replacing one with the same key. Whether it is enabled is unchanged.
#[derive(Clone, Debug)]
pub struct SaveEnrollment {
    /// Key of the enrollment.
    pub key: EnrollmentKey,
    /// Id of this host at the backend.
    pub server_id: String,
    /// Id of the environment that controllers connect to.
    pub environment_id: String,
    /// The name of this host as sent to the backend.
    pub server_name: String,
    /// Time of the change, in Unix seconds.
    pub at_seconds: i64,
}

/// Stores whether remote control starts with the server. The answer is whether the enrollment exists.
#[derive(Clone, Debug)]
pub struct SetRemoteControlEnabled {
    /// Key of the enrollment.
    pub key: EnrollmentKey,
    /// Whether remote control is enabled.
    pub enabled: bool,
    /// Time of the change, in Unix seconds.
    pub at_seconds: i64,
}
