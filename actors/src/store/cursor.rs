//! Places in lists: a cursor names the row beside which a page starts, so rows that come or go elsewhere do not matter.

use std::fmt;

use diesel::dsl::{AsExprOf, sql};
use diesel::expression::{SqlLiteral, UncheckedBind};
use diesel::sql_types::{BigInt, Bool};

use crate::protocol::thread::{Page, SortDirection, ThreadId};

/// Rows of a page when the client does not say how many.
const DEFAULT_ROWS: u32 = 25;
/// Rows of a page at most.
const MAX_ROWS: u32 = 100;

/// A place in a list; opaque text to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: List,
    /// The row's value of the sort key, or its ordinal.
    pub(super) place: i64,
    /// The thread that is the row, or that the row belongs to.
    pub(super) thread: ThreadId,
    /// The page starts with the row, not after it.
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

/// The text of a cursor that this server has not given out for this list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid cursor: {0}")]
pub struct InvalidCursor(String);

impl Cursor {
    /// A cursor of `thread/list` and `thread/search`.
    ///
    /// # Errors
    /// The text is no such cursor.
    pub fn of_threads(text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Threads, None, text)
    }

    /// A cursor of `thread/turns/list` for this thread.
    ///
    /// # Errors
    /// The text is no such cursor.
    pub fn of_turns(thread: ThreadId, text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Turns, Some(thread), text)
    }

    /// A cursor of `thread/items/list` for this thread.
    ///
    /// # Errors
    /// The text is no such cursor.
    pub fn of_items(thread: ThreadId, text: &str) -> Result<Self, InvalidCursor> {
        Self::parse(List::Items, Some(thread), text)
    }

    /// After the row at `place`, whichever way the list is read.
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

/// Which page of a list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Where it starts; at the list's own start when absent.
    pub cursor: Option<Cursor>,
    /// Rows at most, between 1 and 100; 25 when absent.
    pub limit: Option<u32>,
    /// Which end of the list comes first.
    pub direction: SortDirection,
}

impl PageRequest {
    fn rows(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_ROWS).clamp(1, MAX_ROWS) as usize
    }

    /// What to ask the database for: one row more than the page holds, which tells whether there is a next page.
    pub(super) fn fetch(&self) -> i64 {
        self.rows() as i64 + 1
    }

    /// The page of what was fetched; `place` says where a row stands.
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

    /// The rows on the far side of `cursor` in a list ordered by `column`.
    pub(super) fn beyond(
        &self,
        column: &str,
        cursor: &Cursor,
    ) -> UncheckedBind<SqlLiteral<Bool>, AsExprOf<i64, BigInt>> {
        sql::<Bool>(&format!("{column} {} ", self.comparison(cursor))).bind::<BigInt, _>(cursor.place)
    }

    /// The order by `column`.
    pub(super) fn by(&self, column: &str) -> SqlLiteral<BigInt> {
        sql(&format!("{column} {}", self.order()))
    }

    /// How a row's place must compare to the cursor's.
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
