//! Turns and items: keeping, paging, forking.

use super::super::messages::{ForkThread, Forked, ListItems, ListTurns, ListedItems, ReadTurns, Until};
use super::*;
use crate::protocol::thread::ItemAnchor;
use crate::protocol::thread::SortDirection::{Asc, Desc};
use crate::protocol::thread::Unset;
use crate::protocol::turn::{Turn, TurnError, TurnItemsView};

/// A thread with three turns.
fn with_history() -> (SqliteConnection, ThreadRecord) {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    for (id, asked) in [("t1", "one"), ("t2", "two"), ("t3", "three")] {
        record_turn(&mut db, thread.id, id, asked, "done");
    }
    (db, thread)
}

fn item_ids(turn: &Turn) -> Vec<String> {
    turn.items.iter().map(|item| item.summary().unwrap().id).collect()
}

fn turns(db: &mut SqliteConnection, thread_id: ThreadId, page: PageRequest) -> Page<Turn> {
    ListTurns { thread_id, page, items_view: TurnItemsView::Summary }.run(db).unwrap().unwrap()
}

fn turn_ids(page: &Page<Turn>) -> Vec<&str> {
    page.data.iter().map(|turn| turn.id.as_str()).collect()
}

#[test]
fn a_turn_is_read_back_with_as_many_items_as_the_view_says() {
    let (mut db, thread) = with_history();
    for (items_view, expected) in [
        (TurnItemsView::NotLoaded, vec![]),
        (TurnItemsView::Summary, vec!["t3-u", "t3-a2"]),
        (TurnItemsView::Full, vec!["t3-u", "t3-a1", "t3-c", "t3-a2"]),
    ] {
        let list = ListTurns { thread_id: thread.id, page: page_of(1, Desc), items_view };
        let turn = list.run(&mut db).unwrap().unwrap().data.remove(0);
        assert_eq!(item_ids(&turn), expected);
        assert_eq!((turn.items_view, turn.status), (items_view, TurnStatus::Completed));
        assert_eq!((turn.started_at, turn.completed_at, turn.duration_ms), (Some(1), Some(2), Some(1_064)));
    }
    let all = ReadTurns { thread_id: thread.id }.run(&mut db).unwrap();
    assert_eq!(all.iter().map(|turn| turn.id.as_str()).collect::<Vec<_>>(), ["t1", "t2", "t3"]);
    assert_eq!(item_ids(&all[0]), ["t1-u", "t1-a1", "t1-c", "t1-a2"]);
    assert!(ReadTurns { thread_id: ThreadId::new() }.run(&mut db).unwrap().is_empty());
}

#[test]
fn turns_are_paged_both_ways() {
    let (mut db, thread) = with_history();
    let id = thread.id;
    let first = turns(&mut db, id, page_of(2, Desc));
    assert_eq!(turn_ids(&first), ["t3", "t2"]);
    let next = Cursor::of_turns(id, first.next_cursor.as_deref().unwrap()).unwrap();
    let second = turns(&mut db, id, PageRequest { cursor: Some(next), limit: Some(2), direction: Desc });
    assert_eq!((turn_ids(&second), &second.next_cursor), (vec!["t1"], &None));
    record_turn(&mut db, id, "t4", "four", "done");
    let back = Cursor::of_turns(id, first.backwards_cursor.as_deref().unwrap()).unwrap();
    let news = turns(&mut db, id, PageRequest { cursor: Some(back), limit: None, direction: Asc });
    assert_eq!(turn_ids(&news), ["t3", "t4"], "the anchor again, and what came since");
    let unknown = ListTurns { thread_id: ThreadId::new(), page: page_of(1, Desc), items_view: TurnItemsView::Full };
    assert!(unknown.run(&mut db).unwrap().is_none());
}

#[test]
fn a_turn_and_an_item_are_replaced_in_place() {
    let (mut db, thread) = with_history();
    let error =
        TurnError { message: "gone".into(), codex_error_info: None, additional_details: None, misalignment: Unset };
    let failed = TurnRecord { error: Some(error), ..turn("t1", TurnStatus::Failed) };
    let changed = item(r#"{"type":"agentMessage","id":"t1-a2","text":"other"}"#);
    assert!(RecordTurn { items: vec![changed], ..state(thread.id, failed) }.run(&mut db).unwrap());
    let all = ReadTurns { thread_id: thread.id }.run(&mut db).unwrap();
    assert_eq!((all.len(), all[0].status), (3, TurnStatus::Failed));
    assert_eq!(all[0].error.as_ref().map(|error| error.message.as_str()), Some("gone"));
    assert_eq!(all[0].items[3].summary().unwrap().text, "other");

    assert!(!state(ThreadId::new(), turn("t", TurnStatus::InProgress)).run(&mut db).unwrap());
}

fn items(db: &mut SqliteConnection, list: ListItems) -> (Vec<String>, Option<String>) {
    match list.run(db).unwrap() {
        ListedItems::Page(page) => {
            (page.data.iter().map(|entry| entry.item.summary().unwrap().id).collect(), page.next_cursor)
        }
        other => panic!("no page but {other:?}"),
    }
}

#[test]
fn items_are_listed_by_thread_by_turn_and_beside_an_item() {
    let (mut db, thread) = with_history();
    let list = |turn_id: Option<&str>, page| ListItems {
        thread_id: thread.id,
        turn_id: turn_id.map(Into::into),
        anchor: None,
        page,
    };
    let (first, next) = items(&mut db, list(None, page_of(5, Asc)));
    assert_eq!(first, ["t1-u", "t1-a1", "t1-c", "t1-a2", "t2-u"]);
    let cursor = Some(Cursor::of_items(thread.id, &next.unwrap()).unwrap());
    let (second, _) = items(&mut db, list(None, PageRequest { cursor, limit: Some(2), direction: Asc }));
    assert_eq!(second, ["t2-a1", "t2-c"]);
    assert_eq!(items(&mut db, list(Some("t3"), page_of(2, Desc))).0, ["t3-a2", "t3-c"]);
    assert_eq!(items(&mut db, list(Some("nope"), page_of(2, Asc))), (vec![], None));

    let beside = |item_id: &str, direction| ListItems {
        anchor: Some(ItemAnchor::Item { item_id: item_id.into() }),
        ..list(Some("t2"), page_of(10, direction))
    };
    assert_eq!(items(&mut db, beside("t2-a1", Asc)).0, ["t2-c", "t2-a2"]);
    assert_eq!(items(&mut db, beside("t2-a1", Desc)).0, ["t2-u"]);
    assert!(matches!(beside("t1-a1", Asc).run(&mut db), Ok(ListedItems::UnknownAnchor)));
    let elsewhere = ListItems { thread_id: ThreadId::new(), ..list(None, page_of(1, Asc)) };
    assert!(matches!(elsewhere.run(&mut db), Ok(ListedItems::UnknownThread)));
}

#[test]
fn a_fork_copies_as_much_history_as_it_is_told() {
    let (mut db, thread) = with_history();
    let running = turn("t4", TurnStatus::InProgress);
    state(thread.id, running).run(&mut db).unwrap();
    for (until, expected) in [
        (Until::End, vec!["t1", "t2", "t3", "t4"]),
        (Until::Through("t2".into()), vec!["t1", "t2"]),
        (Until::Before("t2".into()), vec!["t1"]),
        (Until::Before("t1".into()), vec![]),
    ] {
        let id = ThreadId::new();
        let fork =
            Box::new(ThreadRecord { id, forked_from_id: Some(thread.id), preview: "one".into(), ..named("fork", 5) });
        let forked = ForkThread { source: thread.id, fork, until: until.clone() }.run(&mut db).unwrap();
        let Forked::Thread(forked) = forked else { panic!("{until:?}: {forked:?}") };
        let history = ReadTurns { thread_id: id }.run(&mut db).unwrap();
        assert_eq!(history.iter().map(|turn| turn.id.as_str()).collect::<Vec<_>>(), expected, "{until:?}");
        assert!(history.iter().all(|turn| turn.id == "t4" || turn.items.len() == 4));
        assert!(history.iter().all(|turn| turn.status != TurnStatus::InProgress), "no turn runs in the fork");
        assert_eq!((forked.has_turns, forked.preview.is_empty()), (!expected.is_empty(), expected.is_empty()));
    }
    assert_eq!(ReadTurns { thread_id: thread.id }.run(&mut db).unwrap().len(), 4, "the source is untouched");
}

#[test]
fn a_fork_of_what_is_not_there_leaves_nothing_behind() {
    let (mut db, thread) = with_history();
    let mut fork = |source, turn: &str| {
        let fork = Box::new(named("fork", 5));
        let id = fork.id;
        let outcome = ForkThread { source, fork, until: Until::Through(turn.into()) }.run(&mut db).unwrap();
        assert_eq!(super::super::messages::LoadThread { id }.run(&mut db), Ok(None));
        outcome
    };
    assert_eq!(fork(ThreadId::new(), "t1"), Forked::UnknownSource);
    assert_eq!(fork(thread.id, "nope"), Forked::UnknownTurn("nope".into()));
}
