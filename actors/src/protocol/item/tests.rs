use serde_json::{Value, json};

use super::*;

fn item(json: Value) -> ThreadItem {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_kind_that_this_server_does_not_make_passes_through_unchanged() {
    let text = r#"{ "type":"sleep","id":"s",  "durationMs":1e3,"later":{"b":1,"a":[]} }"#;
    let item: ThreadItem = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&item).unwrap(), text);
    assert!(item.decode().unwrap_err().to_string().starts_with("unknown variant `sleep`"));
    let summary = item.summary().unwrap();
    assert_eq!((summary.id.as_str(), summary.kind.as_str(), summary.text.as_str()), ("s", "sleep", ""));
}

#[test]
fn members_that_an_older_version_did_not_write_may_be_missing() {
    let message = item(json!({"type": "agentMessage", "id": "m", "text": "t"})).decode().unwrap();
    let kind = ItemKind::AgentMessage(AgentMessage { text: "t".into(), ..AgentMessage::default() });
    assert_eq!(message, Item { kind, id: "m".into(), started_at_ms: None, completed_at_ms: None });
    let written = serde_json::to_value(message.encode().unwrap()).unwrap();
    assert_eq!(written["phase"], Value::Null, "clients rely on this member");
    assert!(written.as_object().unwrap().contains_key("phase"));
}

#[test]
fn the_summary_of_an_item_is_that_of_its_encoding() {
    let content = vec![
        UserInput::Text { text: "one".into(), text_elements: Vec::new() },
        UserInput::LocalImage { detail: None, path: "/a.png".into() },
        UserInput::Text { text: "two".into(), text_elements: Vec::new() },
    ];
    let said = Item {
        kind: ItemKind::UserMessage(UserMessage { client_id: None, content }),
        id: "u".into(),
        started_at_ms: Some(1),
        completed_at_ms: Some(2),
    };
    let expected = ItemSummary {
        id: "u".into(),
        kind: "userMessage".into(),
        text: "one\ntwo".into(),
        started_at_ms: Some(1),
        completed_at_ms: Some(2),
    };
    assert_eq!(said.encode().unwrap().summary().unwrap(), expected);
}

#[test]
fn an_image_has_one_source() {
    let read = |json: Value| serde_json::from_value::<UserInput>(json).map_err(|error| error.to_string());
    let url = MediaSource::Url { url: "u".into() };
    assert_eq!(read(json!({"type": "image", "url": "u"})), Ok(UserInput::Image { detail: None, source: url }));
    assert!(read(json!({"type": "image"})).is_err());
    assert!(read(json!({"type": "picture", "url": "u"})).unwrap_err().starts_with("unknown variant `picture`"));
}
