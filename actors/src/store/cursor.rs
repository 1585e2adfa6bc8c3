//! Positions in lists: a cursor names the row next to which a page starts, so other rows may come and go.

use std::fmt;

use diesel::dsl::{AsExprOf, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::sql_types::{BigInt, Bool};

use crate::protocol::thread::{Page, SortDirection, ThreadId};

/// Default number of rows on a page.
const DEFAULT_ROWS: u32 = 25;
/// Maximum number of rows on a page.
const MAX_ROWS: u32 = 100;

/// A position in a list; opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: List,
    /// The row's value of the sort key, or its ordinal.
    pub(super) place: i64,
    /// The thread that is the row or contains it.
    pub(super) thread: ThreadId,
    /// Whether the page starts with the row instead of after it.
    pub(super) inclusive: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Threads,
    Turns,
    Items,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Threads => "threads",
            Self::Turns => "turns",
            Self::Items => "items",
        }
    }
}

/// The text is not a cursor of this list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor: {0}")]
pub struct InvalidCursor(String);

impl Cursor {
    /// Parses a cursor of `thread/list` or `thread/search`.
    ///
    /// # Errors
    /// The text is not such a cursor.
    pub fn of_threads(text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Threads, None, text)
    }

    /// Parses a cursor of `thread/turns/list` for this thread.
    ///
    /// # Errors
    /// The text is not such a cursor.
    pub fn of_turns(thread: ThreadId, text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Turns, Some(thread), text)
    }

    /// Parses a cursor of `thread/items/list` for this thread.
    ///
    /// # Errors
    /// The text is not such a cursor.
    pub fn of_items(thread: ThreadId, text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Items, Some(thread), text)
    }

    /// A cursor after the row at `place`, in either direction.
    pub(super) fn beside(list: List, place: i64, thread: ThreadId) -> Self {
        Self { list, place, thread, inclusive: false }
    }

    fn parse(list: List, thread: Option<ThreadId>, text: &str) -> Result<Self, InvalidCursor> {
        let mut parts = text.split(':');
        let parsed = (|| {
            let inclusive = match (parts.next()? == list.name(), parts.next()?) {
                (true, "from") => true,
                (true, "after") => false,
                _ => return None,
            };
            let place = parts.next()?.parse().ok()?;
            let of = ThreadId::parse(parts.next()?).ok()?;
            (parts.next().is_none() && thread.is_none_or(|thread| thread == of)).then_some(Self {
                list,
                place,
                thread: of,
                inclusive,
            })
        })();
        parsed.ok_or_else(|| InvalidCursor(text.to_owned()))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.inclusive { "from" } else { "after" };
        write!(f, "{}:{side}:{}:{}", self.list.name(), self.place, self.thread)
    }
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Where the page starts; absent: at the start of the list.
    pub cursor: Option<Cursor>,
    /// Maximum number of rows, from 1 to 100; default: 25.
    pub limit: Option<u32>,
    /// Sort direction.
    pub direction: SortDirection,
}

impl PageRequest {
    fn rows(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_ROWS).clamp(1, MAX_ROWS) as usize
    }

    /// Number of rows to fetch: one more than the page holds, to see whether there is a next page.
    pub(super) fn fetch(&self) -> i64 {
        self.rows() as i64 + 1
    }

    /// Makes the page of the fetched rows; `place` returns the position of a row.
    pub(super) fn cut<R>(&self, list: List, mut rows: Vec<R>, place: impl Fn(&R) -> (i64, ThreadId)) -> Page<R> {
        let mark = |row: &R, inclusive| {
            let (place, thread) = place(row);
            Cursor { list, place, thread, inclusive }.to_string()
        };
        let more = rows.len() > self.rows();
        rows.truncate(self.rows());
        Page {
            next_cursor: rows.last().filter(|_| more).map(|last| mark(last, false)),
            backwards_cursor: rows.first().map(|first| mark(first, true)),
            data: rows,
        }
    }

    /// The rows behind `cursor` in a list ordered by `column`.
    pub(super) fn beyond(
        &self,
        column: &str,
        cursor: &Cursor,
    ) -> UncheckedBind<SqlLiteral<Bool>, AsExprOf<i64, BigInt>> {
        sql::<Bool>(&format!("{column} {} ", self.comparison(cursor))).bind::<BigInt, _>(cursor.place)
    }

    /// The sort order by `column`.
    pub(super) fn by(&self, column: &str) -> SqlLiteral<BigInt> {
        sql(&format!("{column} {}", self.order()))
    }

    /// The comparison between the position of a row and that of the cursor.
    pub(super) fn comparison(&self, cursor: &Cursor) -> &'static str {
        match (self.direction, cursor.inclusive) {
            (SortDirection::Asc, true) => ">=",
            (SortDirection::Asc, false) => ">",
            (SortDirection::Desc, true) => "<=",
            (SortDirection::Desc, false) => "<",
        }
    }

    /// The direction in SQL.
    pub(super) fn order(&self) -> &'static str {
        match self.direction {
            SortDirection::Asc => "ASC",
            SortDirection::Desc => "DESC",
        }
    }
}
