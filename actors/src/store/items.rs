//! Storing and listing items.

use diesel::dsl::max;
use diesel::prelude::*;

use super::Question;
use super::cursor::{Cursor, List};
use super::messages::{ListItems, ListedItems};
use super::row::ItemRow;
use super::schema::{items, threads};
use crate::protocol::thread::{ItemAnchor, Page, ThreadId};
use crate::protocol::turn::ThreadItem;

/// Keeps an item or its new state; a new item comes after all others of its thread.
pub(super) fn record(db: &mut SqliteConnection, thread_id: ThreadId, turn: &str, item: &ThreadItem) -> QueryResult<()> {
    let thread = thread_id.to_string();
    let last =
        items::table.filter(items::thread_id.eq(&thread)).select(max(items::ordinal)).get_result::<Option<i64>>(db)?;
    let row = ItemRow::of(thread_id, last.unwrap_or(0) + 1, turn.to_owned(), item)?;
    if row.kind == "userMessage" {
        diesel::update(threads::table.find(&thread).filter(threads::preview.eq("")))
            .set(threads::preview.eq(row.text.clone()))
            .execute(db)?;
    }
    let state = (
        items::text.eq(row.text.clone()),
        items::started_at_ms.eq(row.started_at_ms),
        items::completed_at_ms.eq(row.completed_at_ms),
        items::item.eq(row.item.clone()),
    );
    diesel::insert_into(items::table)
        .values(row)
        .on_conflict((items::thread_id, items::turn_id, items::id))
        .do_update()
        .set(state)
        .execute(db)?;
    Ok(())
}

impl Question for ListItems {
    type Answer = ListedItems;
    const WRITES: bool = false;

    fn run(mut self, db: &mut SqliteConnection) -> QueryResult<ListedItems> {
        let thread = self.thread_id.to_string();
        if !super::threads::exists(db, self.thread_id)? {
            return Ok(ListedItems::UnknownThread);
        }
        let mut query = items::table.filter(items::thread_id.eq(&thread)).into_boxed();
        if let Some(turn) = &self.turn_id {
            query = query.filter(items::turn_id.eq(turn));
        }
        if let (Some(ItemAnchor::Item { item_id }), None) = (&self.anchor, &self.page.cursor) {
            let place = items::table
                .filter(items::thread_id.eq(&thread).and(items::id.eq(item_id)))
                .filter(items::turn_id.nullable().eq(&self.turn_id))
                .select(items::ordinal)
                .first::<i64>(db)
                .optional()?;
            let Some(place) = place else { return Ok(ListedItems::UnknownAnchor) };
            self.page.cursor = Some(Cursor::beside(List::Items, place, self.thread_id));
        }
        if let Some(cursor) = &self.page.cursor {
            query = query.filter(self.page.beyond("items.ordinal", cursor));
        }
        let rows = query
            .order(self.page.by("items.ordinal"))
            .limit(self.page.fetch())
            .select(ItemRow::as_select())
            .load(db)?;
        let page = self.page.cut(List::Items, rows, |row| (row.ordinal, self.thread_id));
        Ok(ListedItems::Page(Page {
            data: page.data.into_iter().map(ItemRow::entry).collect::<QueryResult<_>>()?,
            next_cursor: page.next_cursor,
            backwards_cursor: page.backwards_cursor,
        }))
    }
}
