use std::collections::HashSet;

use serde_json::Value;

use super::*;
use crate::protocol::Frame;
use crate::protocol::schema::Protocol;
use crate::protocol::thread::Thread;

/// Notifications of the reference program, without the time at which they were sent; one a line. Those about the kinds
/// of items that it was not seen to send are made after its schema.
const RECORDED: &str = include_str!("recorded.jsonl");

const THREAD: &str = "01a202db-1602-7460-9131-7de1ed2f5379";

fn recorded() -> impl Iterator<Item = (Value, ServerNotification)> {
    RECORDED.lines().map(|line| {
        let notification = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        (serde_json::from_str(line).unwrap(), notification)
    })
}

#[test]
fn what_the_reference_writes_is_read_and_written_the_same() {
    for (message, notification) in recorded() {
        assert_eq!(serde_json::to_value(&notification).unwrap(), message);
        assert_eq!(message["method"], notification.method());
    }
}

#[test]
fn an_item_is_typed_without_loss() {
    for (message, notification) in recorded() {
        let (ServerNotification::ItemStarted(ItemStarted { item, .. })
        | ServerNotification::ItemCompleted(ItemCompleted { item, .. })) = notification
        else {
            continue;
        };
        let again = item.decode().unwrap().encode().unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), message["params"]["item"]);
    }
}

#[test]
fn what_happens_in_a_turn_is_for_the_subscribers_of_its_thread() {
    let thread_id = ThreadId::parse(THREAD).unwrap();
    for (message, notification) in recorded() {
        let audience = match message["method"].as_str().unwrap() {
            "thread/status/changed" => NotificationAudience::Everyone,
            _ => NotificationAudience::Subscribers(thread_id),
        };
        assert_eq!(notification.audience(), audience, "{message}");
    }
    let completed = ServerNotification::FuzzyFileSearchSessionCompleted { session_id: "s".into() };
    assert_eq!(completed.audience(), NotificationAudience::Requester);
}

#[test]
fn the_table_has_every_notification_once() {
    let names: Vec<&str> = ServerNotification::TABLE.iter().map(|row| row.name).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
    let published: Vec<String> =
        Protocol::describe(true).server_notifications.into_iter().map(|row| row.method).collect();
    assert_eq!(published, names);
}

#[test]
fn a_notification_is_stamped_and_keeps_items_as_they_are() {
    let thread_id = ThreadId::new();
    let closed = Frame::notification(&ServerNotification::ThreadClosed { thread_id }, 5);
    let text = format!(r#"{{"method":"thread/closed","params":{{"threadId":"{thread_id}"}},"emittedAtMs":5}}"#);
    assert_eq!(closed.text(), text.as_str());

    let mut thread: Thread = serde_json::from_str(crate::protocol::thread::tests::THREAD).unwrap();
    thread.name = Some("n".into());
    let written = serde_json::to_string(&thread).unwrap();
    let started = Frame::notification(&ServerNotification::ThreadStarted { thread: Box::new(thread) }, 5);
    let text = format!(r#"{{"method":"thread/started","params":{{"thread":{written}}},"emittedAtMs":5}}"#);
    assert_eq!(started.text(), text.as_str());
}
