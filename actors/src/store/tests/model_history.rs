//! What the model has seen: adding, compacting, reverting, forking.

use super::super::messages::{
    DeleteThread, ForkThread, Forked, LastTokenUsage, LoadThread, ReadModelHistory, ReadTurns, RecordModelHistory,
    RevertThread, Reverted, Until,
};
use super::*;
use crate::protocol::model::{ContentPart, HistoryItem, Role};
use crate::protocol::usage::{ThreadTokenUsage, TokenUsageBreakdown};

fn said(texts: &[&str]) -> Vec<HistoryItem> {
    texts.iter().map(|text| HistoryItem::text(Role::User, *text)).collect()
}

fn append(added: &[&str]) -> HistoryChange {
    HistoryChange::Append(said(added))
}

/// A turn that changes what the model sees.
fn record(db: &mut SqliteConnection, thread_id: ThreadId, id: &str, model_history: HistoryChange) {
    let turn = RecordTurn { model_history, ..state(thread_id, turn(id, TurnStatus::Completed)) };
    assert!(turn.run(db).unwrap());
}

/// What was said in the history that the model sees.
fn history(db: &mut SqliteConnection, thread_id: ThreadId) -> Vec<String> {
    let text = |item| match item {
        HistoryItem::Message { content, .. } => match &content[..] {
            [ContentPart::InputText { text }] => text.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    ReadModelHistory { thread_id }.run(db).unwrap().into_iter().map(text).collect()
}

/// A thread with entries before its first turn, in two turns, and a compaction within the third of four.
fn with_compaction() -> (SqliteConnection, ThreadRecord) {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    let before = RecordModelHistory { thread_id: thread.id, change: append(&["0"]) };
    assert!(before.run(&mut db).unwrap());
    record(&mut db, thread.id, "t1", append(&["1a", "1b"]));
    record(&mut db, thread.id, "t2", append(&["2"]));
    record(&mut db, thread.id, "t3", append(&["3a"]));
    record(&mut db, thread.id, "t3", HistoryChange::Replace(said(&["summary"])));
    record(&mut db, thread.id, "t3", append(&["3b"]));
    record(&mut db, thread.id, "t4", append(&["4"]));
    (db, thread)
}

#[test]
fn entries_come_back_in_their_order_and_a_compaction_replaces_them() {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    assert_eq!(history(&mut db, thread.id), [""; 0]);
    record(&mut db, thread.id, "t1", append(&["b", "a"]));
    record(&mut db, thread.id, "t1", append(&[]));
    record(&mut db, thread.id, "t1", append(&["c"]));
    assert_eq!(history(&mut db, thread.id), &["b", "a", "c"]);
    record(&mut db, thread.id, "t1", HistoryChange::Replace(vec![]));
    assert_eq!(history(&mut db, thread.id), &["b", "a", "c"], "nothing is no history");
    let (mut db, thread) = with_compaction();
    assert_eq!(history(&mut db, thread.id), &["summary", "3b", "4"]);
    let nowhere = RecordModelHistory { thread_id: ThreadId::new(), change: append(&["x"]) };
    assert!(!nowhere.run(&mut db).unwrap());
}

#[test]
fn a_revert_brings_back_what_the_model_saw_then() {
    for (until, turns, expected) in [
        (Until::End, 4, &["summary", "3b", "4"][..]),
        (Until::Through("t3".into()), 3, &["summary", "3b"]),
        (Until::Before("t3".into()), 2, &["0", "1a", "1b", "2"]),
        (Until::Through("t1".into()), 1, &["0", "1a", "1b"]),
        (Until::Before("t1".into()), 0, &["0"]),
    ] {
        let (mut db, thread) = with_compaction();
        let reverted = RevertThread { id: thread.id, until: until.clone(), at_ms: 20_000 }.run(&mut db).unwrap();
        let Reverted::Thread(reverted) = reverted else { panic!("{until:?}: {reverted:?}") };
        assert_eq!((reverted.updated_at_ms, reverted.has_turns), (20_000, turns > 0), "{until:?}");
        assert_eq!(ReadTurns { thread_id: thread.id }.run(&mut db).unwrap().len(), turns, "{until:?}");
        assert_eq!(history(&mut db, thread.id), expected, "{until:?}");
        record(&mut db, thread.id, "next", append(&["next"]));
        assert_eq!(history(&mut db, thread.id).last().map(String::as_str), Some("next"), "{until:?}");
    }
    let (mut db, thread) = with_compaction();
    let until = Until::Before("nope".into());
    let unknown = RevertThread { id: thread.id, until: until.clone(), at_ms: 1 }.run(&mut db).unwrap();
    assert_eq!(unknown, Reverted::UnknownTurn("nope".into()));
    let unknown = RevertThread { id: ThreadId::new(), until, at_ms: 1 }.run(&mut db).unwrap();
    assert_eq!(unknown, Reverted::UnknownThread);
}

#[test]
fn a_fork_sees_what_its_source_saw_then() {
    let (mut db, thread) = with_compaction();
    for (until, expected) in [
        (Until::End, &["summary", "3b", "4"][..]),
        (Until::Through("t2".into()), &["0", "1a", "1b", "2"]),
        (Until::Before("t1".into()), &["0"]),
    ] {
        let fork = Box::new(named("fork", 5));
        let id = fork.id;
        let forked = ForkThread { source: thread.id, fork, until: until.clone() }.run(&mut db).unwrap();
        assert!(matches!(forked, Forked::Thread(_)), "{forked:?}");
        assert_eq!(history(&mut db, id), expected, "{until:?}");
        if until == Until::End {
            RevertThread { id, until: Until::Through("t2".into()), at_ms: 1 }.run(&mut db).unwrap();
            assert_eq!(history(&mut db, id), &["0", "1a", "1b", "2"], "a fork is reverted like its source");
        }
    }
    assert_eq!(history(&mut db, thread.id), &["summary", "3b", "4"], "the source is untouched");
}

#[test]
fn nothing_is_left_of_a_deleted_thread() {
    let (mut db, thread) = with_compaction();
    assert!(DeleteThread { id: thread.id }.run(&mut db).unwrap());
    use super::super::schema::model_history;
    assert_eq!(model_history::table.count().get_result::<i64>(&mut db), Ok(0));
}

#[test]
fn one_write_keeps_the_turn_its_items_its_cost_and_the_preview() {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    let cost = |total_tokens| ThreadTokenUsage {
        total: TokenUsageBreakdown { total_tokens, ..TokenUsageBreakdown::default() },
        ..ThreadTokenUsage::default()
    };
    let usage = |db: &mut SqliteConnection| LastTokenUsage { thread_id: thread.id }.run(db).unwrap();
    assert_eq!(usage(&mut db), None);
    let asked = item(r#"{"type":"userMessage","id":"u","content":[{"type":"text","text":"hello"}]}"#);
    for (id, total) in [("t1", Some(7)), ("t2", Some(9)), ("t3", None)] {
        let record = TurnRecord { token_usage: total.map(cost), ..turn(id, TurnStatus::InProgress) };
        let written = RecordTurn {
            items: vec![asked.clone()],
            model_history: append(&[id]),
            at_ms: 12_000,
            ..state(thread.id, record)
        };
        assert!(written.run(&mut db).unwrap());
    }
    assert_eq!(usage(&mut db), Some(("t2".into(), cost(9))));
    let kept = LoadThread { id: thread.id }.run(&mut db).unwrap().unwrap();
    assert_eq!((kept.preview.as_str(), kept.has_turns), ("hello", true));
    assert_eq!((kept.updated_at_ms, kept.recency_at_ms), (12_000, 12_000));
    assert_eq!(ReadTurns { thread_id: thread.id }.run(&mut db).unwrap()[0].items.len(), 1);
    assert_eq!(history(&mut db, thread.id), &["t1", "t2", "t3"]);
}
