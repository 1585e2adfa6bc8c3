//! The exchange between wires that are lists.

mod faults;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::{Value, json};

use super::*;
use crate::protocol::scope::Scope;

/// A wire whose messages wait until they are taken.
#[derive(Clone, Default)]
pub(super) struct List(Rc<Inner>);

#[derive(Default)]
struct Inner {
    queue: RefCell<VecDeque<ByteString>>,
    end: Cell<Option<End>>,
}

impl Wire for List {
    fn push(&self, text: ByteString) -> bool {
        self.0.queue.borrow_mut().push_back(text);
        true
    }

    fn end(&self, why: End) {
        self.0.end.set(self.0.end.get().or(Some(why)));
    }

    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl List {
    pub(super) fn next(&self) -> Option<Value> {
        self.0.queue.borrow_mut().pop_front().map(|text| serde_json::from_str(&text).unwrap())
    }

    fn all(&self) -> Vec<Value> {
        std::iter::from_fn(|| self.next()).collect()
    }

    fn ended(&self) -> Option<End> {
        self.0.end.get()
    }
}

pub(super) fn key(client: &str, stream: &str) -> StreamKey {
    StreamKey { client: client.to_owned(), stream: stream.to_owned() }
}

pub(super) fn exchange() -> Exchange<List> {
    Exchange::new(Rc::new(RelaySettings::tiny()), "e".to_owned())
}

fn scopes() -> Scopes {
    Scopes::from_iter([Scope::Observe])
}

pub(super) fn phone(exchange: &mut Exchange<List>, key: &StreamKey) -> List {
    let phone = List::default();
    exchange.phone_came(key, scopes(), phone.clone()).unwrap();
    phone
}

fn server(exchange: &mut Exchange<List>, cursor: Option<&str>) -> List {
    let server = List::default();
    exchange.server_came(server.clone(), cursor);
    server
}

pub(super) fn said(seq: u64, message: &Value) -> String {
    json!({"type": "client_message", "client_id": "somebody else", "seq_id": seq, "message": message}).to_string()
}

pub(super) fn answered(key: &StreamKey, seq: u64, message: &Value) -> ByteString {
    let envelope = json!({
        "type": "server_message", "client_id": key.client, "stream_id": key.stream, "seq_id": seq, "message": message,
    });
    envelope.to_string().into()
}

pub(super) fn acknowledged(seq: u64) -> String {
    json!({"type": "ack", "client_id": "", "seq_id": seq}).to_string()
}

#[test]
fn a_message_gets_the_senders_name_and_a_cursor_and_its_payload_is_not_touched() {
    let mut exchange = exchange();
    let (st, server) = (key("cl", "st"), server(&mut exchange, None));
    let phone = phone(&mut exchange, &st);
    assert_eq!(phone.next().unwrap()["type"], "welcome");
    // Ciphertext is a string like any other.
    for (seq, payload) in [(1, json!("b2xkIGNpcGhlcg")), (2, json!({"id": 1, "method": "initialize"}))] {
        exchange.take_from_phone(&st, &said(seq, &payload));
        let passed = server.next().unwrap();
        assert_eq!((&passed["client_id"], &passed["stream_id"]), (&json!("cl"), &json!("st")));
        assert_eq!((&passed["message"], &passed["cursor"]), (&payload, &json!(format!("e.{seq}"))));
    }
    exchange.take_from_phone(&st, &said(2, &json!("again")));
    assert_eq!(server.all(), Vec::<Value>::new(), "the number was used before");
    let odd = r#"{"type":"client_message","client_id":"","seq_id":3,"message":{ "a" : 1.50 }}"#;
    exchange.take_from_phone(&st, odd);
    let raw = server.0.queue.borrow_mut().pop_front().unwrap();
    assert!(raw.contains(r#""message":{ "a" : 1.50 }"#), "{raw}");
}

#[test]
fn the_server_hears_of_an_acknowledgement_only_when_the_phone_has_sent_it() {
    let mut exchange = exchange();
    let (st, server) = (key("cl", "st"), server(&mut exchange, None));
    let phone = phone(&mut exchange, &st);
    phone.all();
    exchange.take_from_server(&answered(&st, 1, &json!("one")));
    exchange.take_from_server(&answered(&st, 2, &json!("two")));
    assert_eq!((phone.all().len(), server.all().len()), (2, 0));
    exchange.take_from_phone(&st, &acknowledged(1));
    assert_eq!(server.next().unwrap()["seq_id"], 1);
    exchange.take_from_phone(&st, &acknowledged(99));
    assert_eq!(server.next().unwrap()["seq_id"], 2, "no more than there was");
    exchange.take_from_server(&answered(&st, 2, &json!("two")));
    assert_eq!((phone.all().len(), server.next().unwrap()["seq_id"].clone()), (0, json!(2)), "it had not heard it");
}

#[test]
fn segments_are_acknowledged_one_by_one() {
    let mut exchange = exchange();
    let (st, server) = (key("cl", "st"), server(&mut exchange, None));
    let phone = phone(&mut exchange, &st);
    phone.all();
    for segment in 0..2 {
        let envelope = json!({
            "type": "server_message_chunk", "client_id": "cl", "stream_id": "st", "seq_id": 1, "segment_id": segment,
            "segment_count": 2, "message_size_bytes": 2, "message_chunk_base64": "eA==",
        });
        exchange.take_from_server(&envelope.to_string().into());
    }
    assert_eq!(phone.all().len(), 2);
    exchange.take_from_phone(&st, r#"{"type":"ack","client_id":"","seq_id":1,"segment_id":0}"#);
    let ack = server.next().unwrap();
    assert_eq!((&ack["seq_id"], &ack["segment_id"]), (&json!(1), &json!(0)));
}

#[test]
fn a_phone_that_comes_back_gets_what_it_has_not_acknowledged() {
    let mut exchange = exchange();
    let (st, _server) = (key("cl", "st"), server(&mut exchange, None));
    let before = phone(&mut exchange, &st);
    for seq in 1..=3 {
        exchange.take_from_server(&answered(&st, seq, &json!(seq)));
    }
    exchange.take_from_phone(&st, &acknowledged(1));
    exchange.take_from_phone(&st, &said(7, &json!("hello")));
    assert!(exchange.phone_left(&st, &before) && !exchange.phone_left(&st, &before));
    exchange.take_from_server(&answered(&st, 4, &json!(4)));
    let again = phone(&mut exchange, &st);
    let welcome = again.next().unwrap();
    assert_eq!((&welcome["resumed"], &welcome["seq_id"]), (&json!(true), &json!(7)));
    let seqs: Vec<Value> = again.all().into_iter().map(|it| it["seq_id"].clone()).collect();
    assert_eq!(seqs, [2, 3, 4]);
    let other = phone(&mut exchange, &st);
    assert_eq!((again.ended(), other.ended()), (Some(End::Replaced), None));
}

#[test]
fn a_server_that_comes_back_gets_what_it_has_not_processed() {
    let mut exchange = exchange();
    let (st, before) = (key("cl", "st"), server(&mut exchange, None));
    let phone = phone(&mut exchange, &st);
    for seq in 1..=3 {
        exchange.take_from_phone(&st, &said(seq, &json!(seq)));
    }
    assert_eq!(before.all().len(), 3);
    exchange.server_left(9);
    exchange.take_from_phone(&st, &said(4, &json!(4)));
    let told: Vec<Value> = phone.all();
    assert_eq!(told[1], json!({"type": "machine", "machine": {"state": "asleep", "since": 9}}));
    assert_eq!((&told[2]["type"], &told[2]["code"]), (&json!("refused"), &json!(-32001)));
    let again = server(&mut exchange, Some("e.1"));
    let seqs: Vec<Value> = again.all().into_iter().map(|it| it["seq_id"].clone()).collect();
    assert_eq!(seqs, [2, 3]);
    exchange.take_from_phone(&st, &said(5, &json!(5)));
    assert_eq!(again.all().len(), 0, "it would take the place of what was refused before it");
    exchange.take_from_phone(&st, &said(4, &json!(4)));
    assert_eq!(again.next().unwrap()["seq_id"], 4, "the number of what was refused is still free");
    exchange.server_ponged(exchange.latest_cursor());
    let third = server(&mut exchange, Some("e.4"));
    assert_eq!((third.all().len(), phone.ended()), (0, None));
}

#[test]
fn a_stream_ends_where_the_server_has_started_anew_or_something_may_be_lost() {
    for cursor in [None, Some("other.1"), Some("e.99"), Some("e.0")] {
        let mut exchange = exchange();
        let (st, quiet) = (key("cl", "st"), key("cl", "quiet"));
        server(&mut exchange, None);
        let (phone, silent) = (phone(&mut exchange, &st), phone(&mut exchange, &quiet));
        // One more than is kept.
        for seq in 1..=5 {
            exchange.take_from_phone(&st, &said(seq, &json!(seq)));
        }
        exchange.server_left(0);
        let again = server(&mut exchange, cursor);
        assert_eq!((phone.ended(), silent.ended()), (Some(End::StreamLost), None), "{cursor:?}");
        assert_eq!(again.next().unwrap()["type"], "client_closed");
        assert_eq!(again.all(), Vec::<Value>::new(), "nothing of a stream that has ended opens it again");
    }
}

#[test]
fn a_stalled_phone_ends_its_own_stream_and_no_other() {
    let mut exchange = exchange();
    let (slow, good) = (key("a", "st"), key("b", "st"));
    server(&mut exchange, None);
    let (slow_phone, good_phone) = (phone(&mut exchange, &slow), phone(&mut exchange, &good));
    for seq in 1..=5 {
        exchange.take_from_server(&answered(&slow, seq, &json!(seq)));
        exchange.take_from_server(&answered(&good, seq, &json!(seq)));
        exchange.take_from_phone(&good, &acknowledged(seq));
    }
    assert_eq!(slow_phone.ended(), Some(End::Wire(CloseReason::Overloaded)));
    assert_eq!((good_phone.ended(), exchange.retained_bytes), (None, 0));
}

#[test]
fn above_the_total_the_stream_that_holds_the_most_ends() {
    let mut exchange = exchange();
    server(&mut exchange, None);
    let keys = [key("a", "st"), key("b", "st"), key("c", "st")];
    let phones = keys.each_ref().map(|key| phone(&mut exchange, key));
    for (key, bytes) in keys.iter().zip([300, 1200, 600]) {
        exchange.take_from_server(&answered(key, 1, &json!("x".repeat(bytes))));
    }
    assert_eq!(phones.each_ref().map(List::ended), [None, Some(End::Wire(CloseReason::Overloaded)), None]);
    assert!(exchange.retained_bytes < 2000);
}

#[test]
fn a_revoked_controller_is_ended_at_both_ends_and_comes_to_life_by_nothing_that_was_kept() {
    let mut exchange = exchange();
    let (st, other) = (key("cl", "st"), key("other", "st"));
    let before = server(&mut exchange, None);
    let (phone, innocent) = (phone(&mut exchange, &st), phone(&mut exchange, &other));
    exchange.take_from_phone(&st, &said(1, &json!({"method": "initialize"})));
    before.all();
    exchange.end_client("cl", End::Revoked);
    assert_eq!((phone.ended(), innocent.ended()), (Some(End::Revoked), None));
    assert_eq!(before.all(), [json!({"type": "client_closed", "client_id": "cl", "stream_id": "st"})]);
    exchange.take_from_server(&answered(&st, 1, &json!("late")));
    let kinds: Vec<Value> = before.all().into_iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["ack", "client_closed"], "a server that has not heard of it is told");
    exchange.take_from_phone(&other, &said(1, &json!(1)));
    exchange.server_left(0);
    exchange.end_client("other", End::Revoked);
    let again = server(&mut exchange, Some("e.0"));
    let kinds: Vec<Value> = again.all().into_iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["client_closed"], "while it was away");
}

#[test]
fn the_streams_of_a_phone_and_of_a_server_are_counted() {
    let mut exchange = exchange();
    let first = phone(&mut exchange, &key("a", "1"));
    phone(&mut exchange, &key("a", "2"));
    let third = exchange.phone_came(&key("a", "3"), scopes(), List::default());
    assert_eq!(third, Err(End::Full));
    exchange.phone_left(&key("a", "1"), &first);
    phone(&mut exchange, &key("a", "3"));
    assert!(!exchange.knows(&key("a", "1")), "one without a phone makes room");
    phone(&mut exchange, &key("b", "1"));
    assert_eq!(exchange.phone_came(&key("c", "1"), scopes(), List::default()), Err(End::Full));
}

#[test]
fn what_is_no_envelope_ends_a_phone_and_is_ignored_of_a_server() {
    for wrong in ["nonsense", "{}", r#"{"type":"client_message","client_id":"","message":1}"#, &said(0, &json!(1))] {
        let mut exchange = exchange();
        let (st, server) = (key("cl", "st"), server(&mut exchange, None));
        let phone = phone(&mut exchange, &st);
        exchange.take_from_phone(&st, wrong);
        assert!(phone.ended().is_some(), "{wrong}");
        exchange.take_from_server(&ByteString::from(wrong));
        assert_eq!((server.ended(), server.all().len()), (None, 0));
    }
}
