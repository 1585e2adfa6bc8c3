//! The messages of the Store, one struct each.
//!
//! `Threads`, the loaded `Thread`s and `RemoteControl` send them with [`ask`](super::ask). When the Store's mailbox is
//! full, the sender gets [`StoreError::Busy`](super::StoreError::Busy) at once and nothing is done; the client is asked
//! to retry. A write is answered once it is on disk. Times are Unix milliseconds.

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

/// Copies history, including that which the model sees, into a new thread, whose record the sender has made from the source's.
#[derive(Debug)]
pub struct ForkThread {
    /// The thread to copy from.
    pub source: ThreadId,
    /// The new thread. `has_turns` is set according to the copied history; without turns the preview is cleared.
    pub fork: Box<ThreadRecord>,
    /// How much to copy.
    pub until: Until,
}

/// How much of a history a fork copies and a revert keeps.
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
    /// Only these threads; `None` for no such filter.
    pub included: Option<Vec<ThreadId>>,
    /// Not these threads.
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

/// Keeps what happened in a turn, all of it in one write: the state of the turn, the items that are new or have
/// changed, and what the model has seen. Whether there is such a thread.
///
/// A new turn comes after all others of its thread, a new item after all others. The first message of a user becomes the
/// preview of the thread. Times and settings of the thread other than its last use and change stay as they are.
#[derive(Debug)]
pub struct RecordTurn {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The turn, new or in its new state.
    pub turn: TurnRecord,
    /// Its items that are new or have changed, in their order; the others stay as they are.
    pub items: Vec<ThreadItem>,
    /// What this does to the history that the model sees.
    pub model_history: HistoryChange,
    /// Time of the change; it also becomes the time of the thread's last change and use.
    pub at_ms: i64,
}

/// Changes the history that the model sees, outside of a turn. Whether there is such a thread.
///
/// What is added belongs to the latest turn of the thread, and goes when that turn is reverted.
#[derive(Debug)]
pub struct RecordModelHistory {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// What changes.
    pub change: HistoryChange,
}

/// A change to the history that the model sees.
#[derive(Clone, Debug)]
pub enum HistoryChange {
    /// These items come after the others. No items: the history stays as it is.
    Append(Vec<HistoryItem>),
    /// A compaction: from now on the model sees these items instead of the others. No items: the history stays as it
    /// is. The others are kept, and come back when the turn that brought these is reverted.
    Replace(Vec<HistoryItem>),
}

impl HistoryChange {
    /// The history stays as it is.
    pub const fn none() -> Self {
        Self::Append(Vec::new())
    }
}

/// The history that the model sees of a thread, oldest item first; empty when there is no such thread.
#[derive(Clone, Copy, Debug)]
pub struct ReadModelHistory {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// What a thread has cost, and the turn after which that was known; `None` before the model has said so for the first
/// time.
#[derive(Clone, Copy, Debug)]
pub struct LastTokenUsage {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// Takes the latest turns of a thread back for good: the turns, their items, and what the model has seen of them. A
/// compaction in one of them is taken back too.
#[derive(Clone, Debug)]
pub struct RevertThread {
    /// Id of the thread.
    pub id: ThreadId,
    /// How much stays.
    pub until: Until,
    /// When; the thread counts as changed.
    pub at_ms: i64,
}

/// What became of a revert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reverted {
    /// The changed thread.
    Thread(Box<ThreadRecord>),
    /// The thread does not exist.
    UnknownThread,
    /// The thread has no such turn.
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
