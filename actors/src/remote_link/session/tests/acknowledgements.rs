use super::*;

/// A stream whose connection has said `count` messages.
fn talking(test: &mut Harness, client: &str, count: usize) {
    test.initialize(client, "s", 1);
    for number in 0..count {
        test.say(client, "s", &json!({"method": "n", "params": number}));
    }
}

#[test]
fn what_is_not_acknowledged_is_sent_again_on_the_next_socket_in_order() {
    let mut test = Harness::new();
    talking(&mut test, "c", 3);
    assert_eq!(test.sent_numbers(), [1, 2, 3]);
    assert!(test.sent().is_empty());
    test.ack("c", "s", 1);
    test.session.replay();
    test.say("c", "s", &json!({"method": "new"}));
    assert_eq!(test.sent_numbers(), [2, 3, 4]);
    test.ack("c", "s", 1000);
    test.session.replay();
    assert!(test.sent().is_empty());
}

#[test]
fn an_acknowledgement_covers_only_what_was_sent() {
    let mut test = Harness::new();
    talking(&mut test, "c", 2);
    test.ack("c", "s", u64::MAX);
    assert_eq!(test.sent_numbers(), [1, 2]);
    // A cut before the backend's word came: it need not be sent again then.
    test.session.replay();
    test.ack("c", "s", 1);
    assert_eq!(test.sent_numbers(), [2]);
}

#[test]
fn acknowledgements_that_name_no_stream_or_number_are_ignored() {
    let mut test = Harness::new();
    talking(&mut test, "c", 1);
    assert_eq!(test.sent_numbers(), [1]);
    test.receive(&json!({"type": "ack", "client_id": "c", "seq_id": 1}));
    test.about("ack", "c", "s");
    test.ack("c", "other", 1);
    test.session.replay();
    assert_eq!(test.sent_numbers(), [1]);
}

#[test]
fn a_stream_that_nobody_acknowledges_rests_and_the_others_go_on() {
    let mut test = Harness::new();
    talking(&mut test, "silent", 4);
    assert!(!test.has_room("silent", "s"));
    talking(&mut test, "lively", 4);
    test.sent();
    test.ack("lively", "s", 4);
    assert!(test.has_room("lively", "s"));
    assert!(!test.has_room("silent", "s"));
    test.ack("silent", "s", 1);
    assert!(test.has_room("silent", "s"));
}

#[test]
fn when_all_together_owe_too_much_each_may_still_say_one_thing_at_a_time() {
    let mut test = Harness::with(|limits| limits.retained_envelopes = 4);
    talking(&mut test, "silent", 4);
    talking(&mut test, "lively", 0);
    for seq in 1..10 {
        test.say("lively", "s", &json!({"method": "n"}));
        assert!(!test.has_room("lively", "s"));
        test.sent();
        test.ack("lively", "s", seq);
    }
    assert_eq!(test.session.outbound.retained().0, 4);
}

#[test]
fn bytes_bound_a_stream_too() {
    let mut test = Harness::with(|limits| limits.stream_retained_bytes = 500);
    talking(&mut test, "c", 0);
    test.say("c", "s", &json!({"method": "n", "params": "x".repeat(500)}));
    assert!(!test.has_room("c", "s"));
}

#[test]
fn pings_at_the_bound_are_answered_by_one_pong_when_there_is_room() {
    let mut test = Harness::new();
    talking(&mut test, "c", 4);
    test.sent();
    test.about("ping", "c", "s");
    test.about("ping", "c", "s");
    assert!(test.sent().is_empty());
    test.ack("c", "s", 2);
    let pongs = test.sent();
    assert_eq!(pongs.len(), 1);
    assert_eq!((&pongs[0]["type"], &pongs[0]["seq_id"]), (&json!("pong"), &json!(5)));
}

#[test]
fn strangers_pings_fill_no_more_than_what_is_free() {
    let mut test = Harness::new();
    for stranger in 0..100 {
        test.about("ping", "stranger", &stranger.to_string());
    }
    assert_eq!(test.sent().len(), 12);
    test.wait(601);
    test.session.sweep(test.now);
    assert_eq!(test.session.outbound.retained(), (0, 0), "and not for ever");
}

#[test]
fn the_longest_unused_counters_are_forgotten_and_no_others() {
    let mut test = Harness::with(|limits| limits.retained_envelopes = 1000);
    test.initialize("live", "s", 1);
    test.say("live", "s", &json!({"method": "n"}));
    for stranger in 0..100 {
        test.about("ping", "stranger", &stranger.to_string());
        test.sent();
        test.ack("stranger", &stranger.to_string(), 1);
    }
    test.about("ping", "stranger", "99");
    assert_eq!(test.sent_numbers(), [2], "remembered");
    test.about("ping", "stranger", "0");
    assert_eq!(test.sent_numbers(), [1], "forgotten");
    test.say("live", "s", &json!({"method": "n"}));
    assert_eq!(test.sent_numbers(), [2]);
}

#[test]
fn streams_take_turns() {
    let mut test = Harness::new();
    talking(&mut test, "a", 3);
    talking(&mut test, "b", 2);
    let clients: Vec<_> = test.sent().iter().map(|it| it["client_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(clients, ["a", "b", "a", "b", "a"]);
}

#[test]
fn the_last_words_of_a_connection_are_kept_for_a_while() {
    let mut test = Harness::new();
    talking(&mut test, "c", 1);
    let (key, generation) = test.latest("c", "s");
    test.session.ended(&key, generation, test.now);
    assert_eq!(test.sent_numbers(), [1]);
    test.session.replay();
    assert_eq!(test.sent_numbers(), [1]);
    test.wait(601);
    test.session.sweep(test.now);
    assert_eq!(test.session.outbound.retained(), (0, 0));
}
