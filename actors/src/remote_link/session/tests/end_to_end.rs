//! Phones that speak end to end, and relays that do what they like with the envelopes.

use super::phone::*;
use super::*;
use crate::protocol::scope::Scope;
use crate::remote_link::{Keys, KnownDevice};

pub(super) fn observe() -> Scopes {
    Scopes::from_iter([Scope::Observe])
}

/// A machine that knows `phone`.
pub(super) fn knowing(phones: &[&TestPhone]) -> Harness {
    let mut test = Harness::with(|limits| {
        limits.stream_retained_envelopes = 64;
        limits.retained_envelopes = 256;
    });
    let devices = phones.iter().map(|phone| KnownDevice {
        client_id: phone.client.to_owned(),
        public_key: phone.public(),
        scopes: observe(),
    });
    let keys = Keys { environment_id: "env".to_owned(), private: machine(), devices: devices.collect() };
    test.session.use_keys(Some(keys));
    test
}

/// A machine, and a phone whose connection is open.
fn connected() -> (Harness, TestPhone) {
    let mut phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    test.greets(&mut phone);
    test.phone_seals(&mut phone, &json!({"id": 0, "method": "initialize"}));
    assert_eq!(test.delivered_ids(), [0]);
    (test, phone)
}

/// The phone is told why, the connection is gone, and nothing more gets through.
pub(super) fn has_ended(test: &mut Harness, reason: &str) {
    let objects = test.objects();
    assert!(objects.iter().any(|it| it["endToEnd"] == "ended" && it["reason"] == reason), "{reason}: {objects:?}");
    assert_eq!(test.connections.ended.borrow().len(), test.connections.opened.borrow().len());
    assert!(test.delivered().is_empty());
}

#[test]
fn a_paired_phone_talks_and_nothing_of_it_can_be_read_on_the_way() {
    let (mut test, mut phone) = connected();
    assert_eq!(*test.connections.scopes.borrow(), [Some(observe())], "as written down when it was paired");
    test.phone_seals(&mut phone, &json!({"id": 1, "method": "thread/list"}));
    assert_eq!(test.delivered_ids(), [1]);
    test.say("c", "s", &json!({"id": 1, "result": {"said": "secret words"}}));
    let [object] = &test.objects()[..] else { panic!("one") };
    assert!(!object.to_string().contains("secret words") && object.get("id").is_none(), "{object}");
    assert_eq!(phone.open(object)["result"]["said"], "secret words");
    assert_eq!(test.session.came().map(|it| it.new), Some(None), "its use is noted");
}

#[test]
fn the_scopes_of_an_envelope_count_for_nothing() {
    let mut phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    test.greets(&mut phone);
    let object = phone.seal(&json!({"id": 0, "method": "initialize"}));
    test.receive(&json!({"type": "client_message", "client_id": "c", "stream_id": "s", "seq_id": 2, "message": object,
        "scopes": ["observe", "converse", "files", "admin"]}));
    assert_eq!(*test.connections.scopes.borrow(), [Some(observe())]);
}

#[test]
fn what_speaks_plainly_is_told_so_and_reaches_nothing() {
    let (mut test, _) = connected();
    test.initialize("other", "s", 1);
    let [refusal] = &test.objects()[..] else { panic!("one") };
    assert!(refusal["error"]["message"].as_str().unwrap().contains("encrypted end to end"), "{refusal}");
    test.request("other", "s", 2);
    assert!(test.objects().is_empty() && test.delivered().is_empty());
    // Not even on the stream of a phone that encrypts.
    test.request("c", "s", 9);
    assert!(test.delivered().is_empty());
    test.initialize("c", "s", 10);
    assert_eq!(test.connections.ended.borrow().len(), 1);
    assert!(test.delivered().is_empty());
}

#[test]
fn what_is_changed_repeated_left_out_or_reordered_ends_the_stream() {
    type Meddle = fn(&mut Harness, &mut TestPhone);
    let meddlers: [(&str, Meddle); 6] = [
        ("changed", |test, phone| {
            let mut object = phone.seal(&json!({"id": 1, "method": "m"}));
            let data = object["data"].as_str().unwrap();
            let other = if data.starts_with('A') { "B" } else { "A" };
            object["data"] = json!(format!("{other}{}", &data[1..]));
            test.phone_says(phone, &object);
        }),
        ("repeated", |test, phone| {
            let object = phone.seal(&json!({"id": 1, "method": "m"}));
            test.phone_says(phone, &object);
            assert_eq!(test.delivered_ids(), [1]);
            test.phone_says(phone, &object);
        }),
        ("repeated without a number", |test, phone| {
            let object = phone.seal(&json!({"id": 1, "method": "m"}));
            test.phone_says(phone, &object);
            assert_eq!(test.delivered_ids(), [1]);
            test.receive(&json!({"type": "client_message", "client_id": "c", "stream_id": "s", "message": object}));
        }),
        ("left out", |test, phone| {
            drop(phone.seal(&json!({"id": 1, "method": "m"})));
            test.phone_seals(phone, &json!({"id": 2, "method": "m"}));
        }),
        ("reordered", |test, phone| {
            let first = phone.seal(&json!({"id": 1, "method": "m"}));
            let second = phone.seal(&json!({"id": 2, "method": "m"}));
            test.phone_says(phone, &second);
            test.phone_says(phone, &first);
        }),
        ("cut", |test, phone| {
            let mut object = phone.seal(&json!({"id": 1, "method": "m"}));
            object["data"] = json!("");
            test.phone_says(phone, &object);
        }),
    ];
    for (what, meddle) in meddlers {
        let (mut test, mut phone) = connected();
        meddle(&mut test, &mut phone);
        has_ended(&mut test, "tampered");
        test.phone_seals(&mut phone, &json!({"id": 9, "method": "m"}));
        assert!(test.delivered().is_empty(), "{what}");
    }
}

#[test]
fn an_envelope_that_comes_again_under_its_number_is_only_a_double() {
    let (mut test, mut phone) = connected();
    let object = phone.seal(&json!({"id": 1, "method": "m"}));
    test.phone_says(&mut phone, &object);
    phone.seq -= 1;
    test.phone_says(&mut phone, &object);
    test.phone_seals(&mut phone, &json!({"id": 2, "method": "m"}));
    assert_eq!(test.delivered_ids(), [1, 2]);
}

#[test]
fn a_message_of_another_stream_does_not_fit() {
    let mut phones = [TestPhone::new("c", "one"), TestPhone::new("c", "two")];
    let mut test = knowing(&[&phones[0]]);
    for phone in &mut phones {
        test.greets(phone);
        test.phone_seals(phone, &json!({"id": 0, "method": "initialize"}));
    }
    test.delivered();
    let [one, two] = &mut phones;
    let spliced = two.seal(&json!({"id": 1, "method": "m"}));
    test.phone_says(one, &spliced);
    assert!(test.objects().iter().any(|it| it["reason"] == "tampered"));
    assert!(test.delivered().is_empty());
    // The other one is not concerned.
    test.phone_says(two, &spliced);
    assert_eq!(test.delivered_ids(), [1]);
}

#[test]
fn a_handshake_is_bound_to_environment_device_stream_and_key() {
    let phone = || TestPhone::new("c", "s");
    let other_key = crate::remote_link::session::public_key(&vec![8; 32].into()).unwrap();
    for (environment, key) in [("elsewhere", machine_public()), ("env", other_key)] {
        let mut test = knowing(&[&phone()]);
        let mut phone = phone();
        let greeting = phone.greeting(key, environment, None);
        test.phone_says(&mut phone, &greeting);
        has_ended(&mut test, "tampered");
    }
    for (client, stream, reason) in [("c", "other", "tampered"), ("stranger", "s", "unknownDevice")] {
        let mut test = knowing(&[&phone()]);
        let greeting = phone().greeting(machine_public(), "env", None);
        test.message(client, stream, 1, &greeting);
        has_ended(&mut test, reason);
    }
    // Another device under the name of this one.
    let mut test = knowing(&[&phone()]);
    let mut thief = TestPhone { private: [1; 32], ..phone() };
    let greeting = thief.greeting(machine_public(), "env", None);
    test.phone_says(&mut thief, &greeting);
    has_ended(&mut test, "unknownDevice");
}

#[test]
fn a_first_message_that_was_kept_opens_nothing() {
    let mut phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    let greeting = phone.greeting(machine_public(), "env", None);
    test.phone_says(&mut phone, &greeting);
    test.message("c", "s", 50, &greeting);
    assert_eq!(test.objects().len(), 1, "on the same stream it is a double");
    // After the end of the stream it is answered, and whoever sends it can say nothing more.
    test.about("client_closed", "c", "s");
    test.message("c", "s", 51, &greeting);
    assert_eq!(test.objects().len(), 1);
    test.message("c", "s", 52, &json!({"endToEnd": "sealed", "data": "AAAA"}));
    has_ended(&mut test, "tampered");
    assert!(test.connections.opened.borrow().is_empty());
}

#[test]
fn a_server_that_ends_after_the_handshake_opens_nothing() {
    let mut phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    test.greets(&mut phone);
    test.session.begin_no_more();
    test.phone_seals(&mut phone, &json!({"id": 0, "method": "initialize"}));
    let [refusal] = &test.objects()[..] else { panic!("one") };
    assert_eq!(phone.open(refusal)["error"]["code"], -32001);
    assert!(test.connections.opened.borrow().is_empty());
}

#[test]
fn the_first_sealed_message_must_be_initialize() {
    let mut phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    test.greets(&mut phone);
    test.phone_seals(&mut phone, &json!({"id": 1, "method": "thread/list"}));
    has_ended(&mut test, "invalid");
}

#[test]
fn a_new_handshake_begins_the_stream_anew() {
    let (mut test, phone) = connected();
    let mut again = TestPhone { seq: phone.seq, ..TestPhone::new("c", "s") };
    test.greets(&mut again);
    assert_eq!(test.connections.ended.borrow().len(), 1);
    test.phone_seals(&mut again, &json!({"id": 5, "method": "initialize"}));
    assert_eq!(test.delivered_ids(), [5]);
}

#[test]
fn a_paired_phone_has_so_many_handshakes_in_a_minute() {
    let phone = TestPhone::new("c", "s");
    let mut test = knowing(&[&phone]);
    for _ in 0..4 {
        test.greets(&mut TestPhone::new("c", "s"));
    }
    let mut fifth = TestPhone::new("c", "s");
    let greeting = fifth.greeting(machine_public(), "env", None);
    test.phone_says(&mut fifth, &greeting);
    has_ended(&mut test, "busy");
    test.wait(60);
    test.greets(&mut TestPhone::new("c", "s"));
}

#[test]
fn a_revoked_phone_is_not_known_any_more_whatever_the_relay_says() {
    let (mut test, _) = connected();
    test.session.revoke("c", false, test.now);
    assert_eq!(test.connections.ended.borrow().len(), 1);
    test.session.revoke("c", true, test.now);
    test.session.readmit();
    let mut again = TestPhone::new("c", "t");
    let greeting = again.greeting(machine_public(), "env", None);
    test.phone_says(&mut again, &greeting);
    has_ended(&mut test, "unknownDevice");
}

#[test]
fn a_machine_that_does_not_encrypt_says_so() {
    let mut test = Harness::new();
    test.message("c", "s", 1, &json!({"endToEnd": "ask"}));
    assert_eq!(test.objects()[0]["reason"], "off");
}

#[test]
fn a_machine_whose_key_cannot_be_used_lets_nobody_in() {
    let mut test = Harness::new();
    let keys = Keys { environment_id: "env".to_owned(), private: vec![1; 5].into(), devices: Vec::new() };
    test.session.use_keys(Some(keys));
    test.initialize("c", "s", 1);
    assert!(test.delivered().is_empty());
}

#[test]
fn a_long_message_goes_in_segments_of_what_is_sealed() {
    let (mut test, mut phone) = connected();
    let long = "x".repeat(2000);
    test.say("c", "s", &json!({"id": 1, "result": long}));
    let parts = test.sent();
    assert!(parts.len() > 1 && parts.iter().all(|it| it["type"] == "server_message_chunk"));
    let bytes: Vec<u8> = parts.iter().flat_map(|it| of_base64(it["message_chunk_base64"].as_str().unwrap())).collect();
    assert_eq!(phone.open(&serde_json::from_slice(&bytes).unwrap())["result"], long);
}
