//! Turns that a killed process left behind.

use diesel::connection::SimpleConnection;

use super::super::messages::{HistoryChange, ReadModelHistory, ReadTurns};
use super::super::recover::recover;
use super::super::schema::turns;
use super::super::{open, sqlite};
use super::*;
use crate::protocol::model::{HistoryItem, Role};

/// A database file in which a turn ran and a command in it, when the process was killed.
fn left_behind() -> (tempfile::TempDir, std::path::PathBuf, ThreadId) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app-server.sqlite");
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let thread = named("n", 1);
    insert(&mut db, &thread);
    record_turn(&mut db, thread.id, "ended", "one", "done");
    let items = ["inProgress", "completed"]
        .map(|status| item(&format!(r#"{{"type":"commandExecution","id":"{status}","status":"{status}"}}"#)));
    let running = turn("running", TurnStatus::InProgress);
    assert!(RecordTurn { items: items.into(), ..state(thread.id, running) }.run(&mut db).unwrap());
    (directory, path, thread.id)
}

/// The states of the turns, and of the items of the last.
fn states(db: &mut SqliteConnection, thread_id: ThreadId) -> (Vec<TurnStatus>, Vec<String>) {
    let turns = ReadTurns { thread_id }.run(db).unwrap();
    let status = |item: &ThreadItem| {
        let item: serde_json::Value = serde_json::from_str(item.json()).unwrap();
        item["status"].as_str().unwrap().to_owned()
    };
    (turns.iter().map(|turn| turn.status).collect(), turns[1].items.iter().map(status).collect())
}

#[test]
fn a_turn_that_nobody_runs_any_more_is_interrupted() {
    let (_directory, path, thread) = left_behind();
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let _in_use = recover(&mut db, &path);
    let (turns, items) = states(&mut db, thread);
    assert_eq!(turns, [TurnStatus::Completed, TurnStatus::Interrupted]);
    assert_eq!(items, ["failed", "completed"]);
}

#[test]
fn a_command_that_went_on_behind_its_turn_has_ended_with_the_server() {
    let (_directory, path, thread) = left_behind();
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let ended = turn("running", TurnStatus::Completed);
    assert!(RecordTurn { items: Vec::new(), ..state(thread, ended) }.run(&mut db).unwrap());
    let _in_use = recover(&mut db, &path);
    let (turns, items) = states(&mut db, thread);
    assert_eq!(turns, [TurnStatus::Completed, TurnStatus::Completed]);
    assert_eq!(items, ["failed", "completed"]);
}

#[test]
fn the_model_goes_on_from_what_people_saw_of_a_killed_turn() {
    let (_directory, path, thread_id) = left_behind();
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let said = r#"{"type":"agentMessage","id":"s","text":"said","completedAtMs":7}"#;
    let partial = r#"{"type":"agentMessage","id":"p","text":"half of"}"#;
    let call = HistoryItem::FunctionCall { call_id: "c".into(), name: "f".into(), arguments: "{}".into() };
    let progress = RecordTurn {
        items: [said, partial].map(item).into(),
        model_history: HistoryChange::Append(vec![HistoryItem::text(Role::Assistant, "said"), call]),
        ..state(thread_id, turn("running", TurnStatus::InProgress))
    };
    assert!(progress.run(&mut db).unwrap());
    let _in_use = recover(&mut db, &path);
    let known = ReadModelHistory { thread_id }.run(&mut db).unwrap();
    let said: Vec<String> = known.iter().map(HistoryItem::said).collect();
    assert_eq!(said[0], "said");
    assert!(matches!(&known[2], HistoryItem::FunctionCallOutput { call_id, .. } if call_id == "c"), "{known:?}");
    assert_eq!(said[3], "half of");
    assert!(said[4].contains("stopped before it had ended"), "{said:?}");
    assert_eq!(known.len(), 5, "{known:?}");
}

#[test]
fn the_model_knows_a_plan_that_it_was_writing_with_its_tags() {
    let (_directory, path, thread_id) = left_behind();
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let whole = "<proposed_plan>\nfirst\n</proposed_plan>\n";
    let items = [
        r#"{"type":"plan","id":"a","text":"first\n","completedAtMs":5}"#,
        r#"{"type":"agentMessage","id":"b","text":"","completedAtMs":6}"#,
        r#"{"type":"agentMessage","id":"c","text":"Rather:\n"}"#,
        r#"{"type":"plan","id":"d","text":"second\n","completedAtMs":7}"#,
        r#"{"type":"plan","id":"e","text":"half of the thi"}"#,
    ];
    let progress = RecordTurn {
        items: items.map(item).into(),
        model_history: HistoryChange::Append(vec![HistoryItem::text(Role::Assistant, whole)]),
        ..state(thread_id, turn("running", TurnStatus::InProgress))
    };
    assert!(progress.run(&mut db).unwrap());
    let _in_use = recover(&mut db, &path);
    let known = ReadModelHistory { thread_id }.run(&mut db).unwrap();
    let said: Vec<String> = known.iter().map(HistoryItem::said).collect();
    let plans = ["second", "half of the thi"].map(|plan| format!("<proposed_plan>\n{plan}\n</proposed_plan>\n"));
    assert_eq!(said[..4], [whole, "Rather:\n", &plans[0], &plans[1]]);
    assert_eq!(known.len(), 5, "{said:?}");
}

#[test]
fn one_damaged_row_keeps_no_turn_running() {
    let (_directory, path, damaged) = left_behind();
    let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let sound = named("sound", 2);
    insert(&mut db, &sound);
    record_turn(&mut db, sound.id, "ended", "one", "done");
    assert!(state(sound.id, turn("running", TurnStatus::InProgress)).run(&mut db).unwrap());
    let history = HistoryChange::Append(vec![HistoryItem::text(Role::User, "one")]);
    let progress = state(damaged, turn("running", TurnStatus::InProgress));
    assert!(RecordTurn { model_history: history, ..progress }.run(&mut db).unwrap());
    let damage = format!(
        "UPDATE model_history SET entry = 'x' WHERE thread_id = '{damaged}'; \
         UPDATE items SET item = 'x' WHERE thread_id = '{damaged}' AND id = 'completed'"
    );
    db.batch_execute(&damage).unwrap();

    let _in_use = recover(&mut db, &path);
    for thread in [damaged, sound.id] {
        let running = turns::table.filter(turns::thread_id.eq(thread.to_string()).and(turns::id.eq("running")));
        assert_eq!(running.select(turns::status).first::<String>(&mut db).unwrap(), "\"interrupted\"");
    }
    let known = ReadModelHistory { thread_id: sound.id }.run(&mut db).unwrap();
    assert!(known.last().unwrap().said().contains("stopped before it had ended"), "{known:?}");
    assert!(ReadModelHistory { thread_id: damaged }.run(&mut db).is_err(), "nothing is made up for the other one");
}

#[test]
fn a_turn_that_another_server_runs_goes_on() {
    let (_directory, path, thread) = left_behind();
    let mut first = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let in_use = recover(&mut first, &path);
    let running = turn("running", TurnStatus::InProgress);
    assert!(state(thread, running).run(&mut first).unwrap());

    let mut second = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    let also_in_use = recover(&mut second, &path);
    assert_eq!(states(&mut second, thread).0[1], TurnStatus::InProgress);
    drop((in_use, also_in_use));
    let _in_use = recover(&mut second, &path);
    assert_eq!(states(&mut second, thread).0[1], TurnStatus::Interrupted);
}
