use super::*;

#[test]
fn only_a_request_named_initialize_begins_a_stream() {
    let mut test = Harness::new();
    test.request("c", "s", 1);
    test.message("c", "s", 2, &json!({"method": "initialize"}));
    test.message("c", "s", 3, &json!({"id": 3, "result": {}}));
    assert!(test.delivered().is_empty());
    assert!(test.sent().is_empty(), "no error is told either");
    test.initialize("c", "s", 4);
    assert_eq!(test.delivered_ids(), [0]);
}

#[test]
fn a_message_that_came_before_is_dropped_and_a_gap_is_not() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    for seq in [2, 3, 3, 2, 10, 4, 11] {
        test.request("c", "s", seq);
    }
    assert_eq!(test.delivered_ids(), [0, 2, 3, 10, 11]);
}

#[test]
fn a_message_without_a_number_is_delivered_and_moves_no_mark() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.request("c", "s", 5);
    let unnumbered = json!({
        "type": "client_message", "client_id": "c", "stream_id": "s", "message": {"id": 77, "method": "m"},
    });
    test.receive(&unnumbered);
    test.receive(&unnumbered);
    test.request("c", "s", 5);
    test.request("c", "s", 6);
    assert_eq!(test.delivered_ids(), [0, 5, 77, 77, 6]);
}

#[test]
fn initialize_on_a_live_stream_ends_its_connection_and_begins_a_new_one() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.request("c", "s", 9);
    let (key, old) = test.latest("c", "s");
    test.initialize("c", "s", 1);
    assert_eq!(*test.connections.ended.borrow(), [old]);
    // The reference program's clean-up of the old connection takes the new one with it.
    test.session.ended(&key, old, test.now);
    test.session.say(&key, old, r#"{"method":"late"}"#, test.now).unwrap();
    assert!(test.sent().is_empty(), "the old connection is not heard any more");
    test.request("c", "s", 2);
    assert_eq!(test.delivered_ids(), [0, 9, 0, 2]);
    test.say("c", "s", &json!({"id": 2, "result": {}}));
    assert_eq!(test.sent_numbers(), [1]);
}

#[test]
fn a_stream_ends_when_its_controller_closes_it_and_its_numbers_go_on() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.say("c", "s", &json!({"id": 0, "result": {}}));
    test.about("client_closed", "c", "s");
    assert!(test.sent().is_empty(), "nobody wants it");
    test.request("c", "s", 2);
    assert_eq!(test.delivered_ids(), [0]);
    test.initialize("c", "s", 1);
    test.say("c", "s", &json!({"id": 0, "result": {}}));
    assert_eq!(test.sent_numbers(), [2]);
}

#[test]
fn a_stream_whose_controller_is_silent_for_ten_minutes_ends_and_a_ping_counts() {
    let mut test = Harness::new();
    test.initialize("c", "silent", 1);
    test.initialize("c", "pinging", 1);
    test.wait(300);
    test.about("ping", "c", "pinging");
    test.wait(299);
    test.session.sweep(test.now);
    assert!(test.connections.ended.borrow().is_empty());
    test.wait(1);
    test.session.sweep(test.now);
    assert_eq!(*test.connections.ended.borrow(), [test.latest("c", "silent").1]);
}

#[test]
fn pings_are_answered_by_what_the_stream_is() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.about("ping", "c", "s");
    test.about("ping", "c", "other");
    let pongs: Vec<_> = test.sent();
    assert_eq!(
        pongs,
        [
            json!({"type": "pong", "status": "active", "client_id": "c", "stream_id": "s", "seq_id": 1}),
            json!({"type": "pong", "status": "unknown", "client_id": "c", "stream_id": "other", "seq_id": 1}),
        ]
    );
}

#[test]
fn a_controller_that_names_no_stream_has_one() {
    let mut test = Harness::new();
    let unnamed =
        |kind: &str, message: Value| json!({"type": kind, "client_id": "old", "seq_id": 1, "message": message});
    test.receive(&json!({"type": "ping", "client_id": "old"}));
    let pong = &test.sent()[0];
    assert_eq!(pong["status"], "unknown");
    assert_eq!(pong["stream_id"].as_str().unwrap().len(), 36, "a name of ours");
    test.receive(&unnamed("client_message", json!({"id": 1, "method": "m"})));
    assert!(test.delivered().is_empty());
    test.receive(&unnamed("client_message", json!({"id": 0, "method": "initialize"})));
    test.receive(&json!({"type": "client_message", "client_id": "old", "message": {"id": 2, "method": "m"}}));
    test.receive(&json!({"type": "ping", "client_id": "old"}));
    assert_eq!(test.delivered_ids(), [0, 2]);
    assert_eq!(test.sent()[0]["status"], "active");
    test.initialize("old", "named", 1);
    test.receive(&json!({"type": "client_closed", "client_id": "old"}));
    assert_eq!(test.connections.ended.borrow().len(), 1, "the named stream stays");
    test.receive(&json!({"type": "client_message", "client_id": "old", "message": {"id": 3, "method": "m"}}));
    assert_eq!(test.delivered_ids(), [0]);
}

#[test]
fn envelopes_with_unusable_names_are_ignored() {
    let mut test = Harness::new();
    test.initialize("c", "", 1);
    test.initialize(&"c".repeat(65), "s", 1);
    test.initialize("c", &"s".repeat(65), 1);
    test.about("ping", "c", "");
    assert!(test.delivered().is_empty() && test.sent().is_empty());
}

#[test]
fn nonsense_is_ignored_and_does_not_move_the_cursor() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    for text in ["", "nonsense", "[]", r#"{"type":"news","client_id":"c","cursor":"x"}"#] {
        test.session.receive(text, test.now);
    }
    let no_message = json!({
        "type": "client_message", "client_id": "c", "stream_id": "s", "seq_id": 2, "cursor": "x", "message": [1],
    });
    test.receive(&no_message);
    assert_eq!(test.session.cursor(), None);
    test.receive(&json!({"type": "ack", "client_id": "c", "cursor": "c1"}));
    assert_eq!(test.session.cursor(), Some("c1"));
}

#[test]
fn one_stream_too_many_is_told_so() {
    let mut test = Harness::with(|limits| limits.streams = 1);
    test.initialize("a", "s", 1);
    test.initialize("b", "s", 1);
    let told = test.sent();
    assert_eq!((&told[0]["client_id"], &told[0]["message"]["error"]["code"]), (&json!("b"), &json!(-32001)));
    test.request("a", "s", 2);
    assert_eq!(test.delivered_ids(), [0, 2]);
    test.about("client_closed", "a", "s");
    test.initialize("b", "s", 1);
    assert_eq!(test.delivered_ids(), [0]);
}

#[test]
fn a_request_that_is_not_taken_is_refused_and_anything_else_ends_the_stream() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.initialize("c", "other", 1);
    *test.connections.room.borrow_mut() = Some(0);
    test.request("c", "s", 2);
    let told = test.sent();
    assert_eq!((&told[0]["message"]["id"], &told[0]["message"]["error"]["code"]), (&json!(2), &json!(-32001)));
    test.request("c", "s", 2);
    assert!(test.sent().is_empty(), "it was answered before");
    test.message("c", "s", 3, &json!({"method": "initialized"}));
    assert_eq!(*test.connections.ended.borrow(), [test.latest("c", "s").1], "the other stream stays");
}

#[test]
fn no_controller_takes_all_streams() {
    let mut test = Harness::with(|limits| limits.controller_streams = 2);
    for stream in ["1", "2", "3"] {
        test.initialize("c", stream, 1);
    }
    let told = test.sent();
    assert_eq!((&told[0]["stream_id"], &told[0]["message"]["error"]["code"]), (&json!("3"), &json!(-32001)));
    test.initialize("other", "1", 1);
    test.initialize("c", "2", 1);
    assert!(test.sent().is_empty(), "there is room for another controller, and for a stream that begins anew");
}

#[test]
fn refusals_that_nobody_acknowledges_are_not_kept_without_bound() {
    let mut test = Harness::with(|limits| limits.streams = 0);
    for stream in 0..100 {
        test.initialize("c", &stream.to_string(), 1);
    }
    assert_eq!(test.session.outbound.retained().0, test.session.limits.retained_envelopes);
}

#[test]
fn what_streams_said_that_begin_and_end_is_not_kept_without_bound() {
    let mut test = Harness::new();
    for stream in 0..100 {
        let stream = stream.to_string();
        test.initialize("c", &stream, 1);
        test.say("c", &stream, &json!({"id": 0, "result": {}}));
        *test.connections.room.borrow_mut() = Some(0);
        test.message("c", &stream, 2, &json!({"method": "initialized"}));
        *test.connections.room.borrow_mut() = None;
    }
    assert_eq!(test.connections.ended.borrow().len(), 100);
    assert!(test.session.outbound.retained().0 <= test.session.limits.retained_envelopes);
}

#[test]
fn who_reads_no_refusals_ends_too() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    *test.connections.room.borrow_mut() = Some(0);
    for seq in 2..7 {
        test.request("c", "s", seq);
    }
    assert_eq!(test.sent().len(), 4, "so many may be unacknowledged");
    assert_eq!(test.connections.ended.borrow().len(), 1);
}

#[test]
fn the_end_of_the_login_forgets_everything() {
    let mut test = Harness::new();
    test.initialize("c", "s", 1);
    test.receive(&json!({"type": "ack", "client_id": "c", "cursor": "c1"}));
    test.say("c", "s", &json!({"id": 0, "result": {}}));
    test.session.clear();
    assert_eq!(test.session.cursor(), None);
    assert!(test.sent().is_empty());
    assert_eq!(test.connections.ended.borrow().len(), 1);
    test.initialize("c", "s", 1);
    test.say("c", "s", &json!({"id": 0, "result": {}}));
    assert_eq!(test.sent_numbers(), [1]);
}

#[test]
fn the_streams_of_a_revoked_controller_end_and_new_ones_are_refused() {
    let mut test = Harness::new();
    test.initialize("stolen", "1", 1);
    test.initialize("stolen", "2", 1);
    test.initialize("other", "1", 1);
    test.say("stolen", "1", &json!({"id": 0, "result": {}}));
    test.session.revoke("stolen", false, test.now);
    assert_eq!(test.connections.ended.borrow().len(), 2);
    assert!(test.sent().is_empty(), "what it was still to be sent is dropped");
    test.delivered();
    test.request("stolen", "1", 2);
    for stream in 3..100 {
        test.initialize("stolen", &stream.to_string(), 1);
        test.about("ping", "stolen", "1");
    }
    let told = test.sent();
    assert_eq!(told.len(), test.session.limits.stream_retained_envelopes, "no more than one stream may have");
    assert_eq!((&told[0]["stream_id"], &told[0]["message"]["error"]["code"]), (&json!("3"), &json!(-32600)));
    test.request("other", "1", 2);
    assert_eq!(test.delivered_ids(), [2], "the others go on");
}

#[test]
fn a_new_pairing_readmits_only_whom_the_backend_refuses_by_itself() {
    let mut test = Harness::new();
    for (client, confirmed) in [("sold", false), ("stolen", false), ("sold", true)] {
        test.session.revoke(client, confirmed, test.now);
    }
    test.session.readmit();
    test.initialize("sold", "s", 1);
    assert_eq!(test.delivered_ids(), [0]);
    test.initialize("stolen", "s", 1);
    assert!(test.delivered().is_empty());
}

#[test]
fn a_confirmation_that_comes_late_takes_no_newer_pairing_back() {
    let mut test = Harness::new();
    // The pairing starts while the backend is still asked.
    test.session.revoke("slow", false, test.now);
    test.session.readmit();
    test.initialize("slow", "s", 1);
    assert!(test.delivered().is_empty(), "the backend may let it through without a pairing");
    let refused = test.sent()[0]["message"]["error"]["message"].take();
    assert!(refused.as_str().unwrap().contains("has not confirmed that yet"), "{refused}");
    test.session.revoke("slow", true, test.now);
    test.initialize("slow", "t", 1);
    assert_eq!(test.delivered_ids(), [0]);

    // Revoked twice at once, paired between the two confirmations.
    for confirmed in [false, false, true] {
        test.session.revoke("twice", confirmed, test.now);
    }
    test.session.readmit();
    test.initialize("twice", "s", 1);
    assert_eq!(test.delivered_ids(), [0]);
    test.session.revoke("twice", true, test.now);
    test.request("twice", "s", 2);
    assert_eq!(test.delivered_ids(), [2], "its stream goes on");
}

#[test]
fn the_revoked_controllers_are_remembered_up_to_a_bound() {
    let mut test = Harness::new();
    for client in ["first", "second", "second", "third"] {
        test.session.revoke(client, false, test.now);
    }
    for client in ["first", "second", "third"] {
        test.initialize(client, "s", 1);
    }
    let delivered: Vec<_> = test.delivered().into_iter().map(|(stream, _)| stream).collect();
    assert_eq!(delivered, ["first/s"]);
}

#[test]
fn the_end_of_the_login_does_not_readmit() {
    let mut test = Harness::new();
    for confirmed in [false, true] {
        test.session.revoke("stolen", confirmed, test.now);
    }
    test.session.clear();
    test.initialize("stolen", "s", 1);
    assert!(test.delivered().is_empty());
}
