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

/// Keeps a new thread. An id that is taken already is an internal error.
#[derive(Debug)]
pub struct InsertThread(pub Box<ThreadRecord>);

/// The thread of this id, archived or not; `None` when there is none.
#[derive(Clone, Copy, Debug)]
pub struct LoadThread {
    /// Id of the thread.
    pub id: ThreadId,
}

/// Gives a thread a title. Whether there is such a thread.
#[derive(Debug)]
pub struct SetThreadName {
    /// Id of the thread.
    pub id: ThreadId,
    /// The title.
    pub name: String,
    /// When.
    pub at_ms: i64,
}

/// Changes what clients save with a thread. The thread as it is now, or `None` when there is none.
#[derive(Debug)]
pub struct UpdateThreadMetadata {
    /// Id of the thread.
    pub id: ThreadId,
    /// Absent members stay, null ones are cleared.
    pub git: GitInfoUpdate,
    /// `None` leaves it as it is.
    pub daybreak_enabled: Option<bool>,
    /// When.
    pub at_ms: i64,
}

/// Puts a thread away or takes it out again. The thread as it is now, or `None` when there is none that is not in that
/// state already.
#[derive(Clone, Copy, Debug)]
pub struct SetArchived {
    /// Id of the thread.
    pub id: ThreadId,
    /// Away, or out again.
    pub archived: bool,
    /// When.
    pub at_ms: i64,
}

/// Deletes a thread with its history for good. Whether there was one.
#[derive(Clone, Copy, Debug)]
pub struct DeleteThread {
    /// Id of the thread.
    pub id: ThreadId,
}

/// Copies history, including that which the model sees, into a new thread, whose record the sender has made from the source's.
#[derive(Debug)]
pub struct ForkThread {
    /// Where the history comes from.
    pub source: ThreadId,
    /// The new thread; `has_turns` is set by what is copied, and without turns the preview is emptied.
    pub fork: Box<ThreadRecord>,
    /// How much is copied.
    pub until: Until,
}

/// How much of a history a fork copies and a revert keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// All of it.
    End,
    /// Up to and including this turn.
    Through(String),
    /// Up to and without this turn.
    Before(String),
}

/// What became of a fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The new thread.
    Thread(Box<ThreadRecord>),
    /// There is no such source.
    UnknownSource,
    /// The source has no such turn.
    UnknownTurn(String),
}

/// Which threads a list or a search considers. Empty lists do not filter.
#[derive(Clone, Debug, Default)]
pub struct ThreadFilter {
    /// Lists only archived threads instead of only unarchived ones.
    pub archived: bool,
    /// Working directories.
    pub cwds: Vec<String>,
    /// Kinds of origin; empty means the interactive ones: the terminal program, editors, and named ones.
    pub source_kinds: Vec<ThreadSourceKind>,
    /// Providers.
    pub model_providers: Vec<String>,
    /// Names of creating clients.
    pub originators: Vec<String>,
    /// Threads to leave out.
    pub excluded: Vec<ThreadId>,
}

/// A page of the threads that have a turn or a name.
#[derive(Clone, Debug)]
pub struct ListThreads {
    /// Which of them.
    pub filter: ThreadFilter,
    /// Text that occurs in the title or the preview; case-sensitive.
    pub search_term: Option<String>,
    /// What orders them; there are no sections, so a place in a section counts as the creation.
    pub sort_key: ThreadSortKey,
    /// Which page.
    pub page: PageRequest,
}

/// A page of the threads in whose title, preview or history a text occurs; ASCII letters match in either case.
#[derive(Clone, Debug)]
pub struct SearchThreads {
    /// Which of them.
    pub filter: ThreadFilter,
    /// The text; not empty.
    pub search_term: String,
    /// What orders them.
    pub sort_key: ThreadSortKey,
    /// Which page.
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
    /// When; the thread counts as used and changed.
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
    /// The thread as it is now.
    Thread(Box<ThreadRecord>),
    /// There is no such thread.
    UnknownThread,
    /// The thread has no such turn.
    UnknownTurn(String),
}

/// A page of a thread's turns, or `None` when there is no such thread.
#[derive(Clone, Debug)]
pub struct ListTurns {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Which page.
    pub page: PageRequest,
    /// How much of the items comes along.
    pub items_view: TurnItemsView,
}

/// All turns of a thread with all their items, oldest first; empty when there is no such thread.
#[derive(Clone, Copy, Debug)]
pub struct ReadTurns {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// A page of a thread's items; an unknown turn has none.
#[derive(Clone, Debug)]
pub struct ListItems {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Only those of one turn.
    pub turn_id: Option<String>,
    /// Beside this item of that turn, when the page has no cursor.
    pub anchor: Option<ItemAnchor>,
    /// Which page.
    pub page: PageRequest,
}

/// What became of a list of items.
#[derive(Clone, Debug)]
pub enum ListedItems {
    /// The page.
    Page(crate::protocol::thread::ThreadItemsListResponse),
    /// There is no such thread.
    UnknownThread,
    /// The turn has no such item.
    UnknownAnchor,
}

/// The enrollment under this key; `None` when there is none.
#[derive(Clone, Debug)]
pub struct LoadEnrollment {
    /// Which.
    pub key: EnrollmentKey,
}

/// Keeps an enrollment, new or in the place of the one under the same key. Whether it is enabled stays as it is.
#[derive(Clone, Debug)]
pub struct SaveEnrollment {
    /// Which.
    pub key: EnrollmentKey,
    /// The backend's name of this host.
    pub server_id: String,
    /// The environment that controllers choose.
    pub environment_id: String,
    /// The name that was told to the backend.
    pub server_name: String,
    /// When, in Unix seconds.
    pub at_seconds: i64,
}

/// Remembers whether remote control begins with the server. Whether there is such an enrollment.
#[derive(Clone, Debug)]
pub struct SetRemoteControlEnabled {
    /// Which.
    pub key: EnrollmentKey,
    /// Whether.
    pub enabled: bool,
    /// When, in Unix seconds.
    pub at_seconds: i64,
}
