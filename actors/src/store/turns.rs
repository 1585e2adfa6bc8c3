//! Storing and loading turns.

use std::collections::HashMap;

use diesel::dsl::max;
use diesel::prelude::*;

use super::Question;
use super::cursor::{List, PageRequest};
use super::messages::{LastTokenUsage, ListTurns, ReadTurns, RecordTurn};
use super::record::TurnRecord;
use super::row::{ItemRow, TurnRow, read};
use super::schema::{items, threads, turns};
use super::threads::exists;
use crate::protocol::thread::{Page, ThreadId, TurnsPage};
use crate::protocol::turn::{Turn, TurnItemsView};
use crate::protocol::usage::ThreadTokenUsage;

impl Question for RecordTurn {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let id = self.thread_id.to_string();
        let known = diesel::update(threads::table.find(&id))
            .set((
                threads::has_turns.eq(true),
                threads::updated_at_ms.eq(self.at_ms),
                threads::recency_at_ms.eq(self.at_ms),
            ))
            .execute(db)?;
        if known == 0 {
            return Ok(false);
        }
        let turn = self.turn.id.clone();
        let ordinal = record(db, self.thread_id, self.turn)?;
        for item in &self.items {
            super::items::record(db, self.thread_id, &turn, item)?;
        }
        super::entries::change(db, self.thread_id, Some(ordinal), self.model_history)?;
        if let Some(id) = self.dequeued {
            super::queue::delete(db, self.thread_id, &id)?;
        }
        Ok(true)
    }
}

impl Question for LastTokenUsage {
    type Answer = Option<(String, ThreadTokenUsage)>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let latest = turns::table
            .filter(turns::thread_id.eq(self.thread_id.to_string()).and(turns::token_usage.is_not_null()))
            .order(turns::ordinal.desc())
            .select((turns::id, turns::token_usage.assume_not_null()))
            .first::<(String, String)>(db)
            .optional()?;
        latest.map(|(turn, usage)| Ok((turn, read(&usage)?))).transpose()
    }
}

impl Question for ListTurns {
    type Answer = Option<TurnsPage>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        if !exists(db, self.thread_id)? {
            return Ok(None);
        }
        let fetched = page_of_rows(db, self.thread_id, &self.page)?;
        let page = self.page.cut(List::Turns, fetched, |row| (row.ordinal, self.thread_id));
        Ok(Some(Page {
            data: with_items(db, self.thread_id, page.data, self.items_view)?,
            next_cursor: page.next_cursor,
            backwards_cursor: page.backwards_cursor,
        }))
    }
}

impl Question for ReadTurns {
    type Answer = Vec<Turn>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Vec<Turn>> {
        let rows = turns::table
            .filter(turns::thread_id.eq(self.thread_id.to_string()))
            .order(turns::ordinal)
            .select(TurnRow::as_select())
            .load(db)?;
        with_items(db, self.thread_id, rows, TurnItemsView::Full)
    }
}

/// Keeps a turn or its new state; a new turn comes after all others of its thread. The turn's ordinal.
fn record(db: &mut SqliteConnection, thread_id: ThreadId, turn: TurnRecord) -> QueryResult<i64> {
    let thread = thread_id.to_string();
    let known = turns::table
        .filter(turns::thread_id.eq(&thread).and(turns::id.eq(&turn.id)))
        .select(turns::ordinal)
        .get_result::<i64>(db)
        .optional()?;
    if let Some(ordinal) = known {
        let row = TurnRow::of(thread_id, ordinal, turn)?;
        let state = (
            turns::status.eq(row.status),
            turns::error.eq(row.error),
            turns::started_at_ms.eq(row.started_at_ms),
            turns::completed_at_ms.eq(row.completed_at_ms),
            turns::token_usage.eq(row.token_usage),
        );
        diesel::update(turns::table.find((&thread, ordinal))).set(state).execute(db)?;
        return Ok(ordinal);
    }
    let last =
        turns::table.filter(turns::thread_id.eq(&thread)).select(max(turns::ordinal)).get_result::<Option<i64>>(db)?;
    let ordinal = last.unwrap_or(0) + 1;
    diesel::insert_into(turns::table).values(TurnRow::of(thread_id, ordinal, turn)?).execute(db)?;
    Ok(ordinal)
}

fn page_of_rows(db: &mut SqliteConnection, thread: ThreadId, page: &PageRequest) -> QueryResult<Vec<TurnRow>> {
    let mut query = turns::table.filter(turns::thread_id.eq(thread.to_string())).into_boxed();
    if let Some(cursor) = &page.cursor {
        query = query.filter(page.beyond("turns.ordinal", cursor));
    }
    query.order(page.by("turns.ordinal")).limit(page.fetch()).select(TurnRow::as_select()).load(db)
}

/// Adds the items to turns with adjacent rows, as far as the view asks for them.
fn with_items(
    db: &mut SqliteConnection,
    thread: ThreadId,
    rows: Vec<TurnRow>,
    view: TurnItemsView,
) -> QueryResult<Vec<Turn>> {
    let mut items = match view {
        TurnItemsView::NotLoaded => HashMap::new(),
        TurnItemsView::Summary | TurnItemsView::Full => items_of(db, thread, &rows)?,
    };
    rows.into_iter()
        .map(|row| {
            let mut items = items.remove(&row.id).unwrap_or_default();
            if view == TurnItemsView::Summary {
                items = summary(items);
            }
            let items = items.iter().map(ItemRow::item).collect::<QueryResult<_>>()?;
            row.turn(items, view)
        })
        .collect()
}

/// The items of adjacent turns, by turn.
fn items_of(
    db: &mut SqliteConnection,
    thread: ThreadId,
    rows: &[TurnRow],
) -> QueryResult<HashMap<String, Vec<ItemRow>>> {
    let ordinals = rows.iter().map(|row| row.ordinal);
    let (Some(first), Some(last)) = (ordinals.clone().min(), ordinals.max()) else {
        return Ok(HashMap::new());
    };
    let thread = thread.to_string();
    let these =
        turns::table.filter(turns::thread_id.eq(&thread).and(turns::ordinal.between(first, last))).select(turns::id);
    let items: Vec<ItemRow> = items::table
        .filter(items::thread_id.eq(&thread).and(items::turn_id.eq_any(these)))
        .order((items::turn_id, items::ordinal))
        .select(ItemRow::as_select())
        .load(db)?;
    let mut by_turn: HashMap<String, Vec<ItemRow>> = HashMap::new();
    for item in items {
        by_turn.entry(item.turn_id.clone()).or_default().push(item);
    }
    Ok(by_turn)
}

/// The first user message and the last agent message.
fn summary(items: Vec<ItemRow>) -> Vec<ItemRow> {
    let asked = items.iter().position(|item| item.kind == "userMessage");
    let answered = items.iter().rposition(|item| item.kind == "agentMessage");
    let keep = |index| Some(index) == asked || Some(index) == answered;
    items.into_iter().enumerate().filter_map(|(index, item)| keep(index).then_some(item)).collect()
}
