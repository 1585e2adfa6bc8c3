use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::*;

fn chunk(client: &str, seq: u64, segment: usize, parts: &[&str]) -> Value {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    json!({
        "type": "client_message_chunk", "client_id": client, "stream_id": "s", "seq_id": seq, "cursor": format!("{seq}/{segment}"),
        "segment_id": segment, "segment_count": parts.len(), "message_size_bytes": size,
        "message_chunk_base64": BASE64.encode(parts[segment]),
    })
}

const PARTS: [&str; 3] = [r#"{"id":2,"#, r#""method":"#, r#""m"}"#];

fn initialized(client: &str) -> Harness {
    let mut test = Harness::new();
    test.initialize(client, "s", 1);
    test.delivered();
    test
}

#[test]
fn a_long_message_goes_out_in_segments_of_one_number_and_comes_back_together() {
    for length in [100, 950, 1000, 1200, 2000, 3000] {
        let mut test = initialized("c");
        let message = json!({"id": 2, "result": "x".repeat(length)});
        test.say("c", "s", &message);
        let sent = test.sent();
        let size = message.to_string().len();
        if sent.len() == 1 {
            assert!(size < 1000);
            assert_eq!(sent[0]["message"], message);
            continue;
        }
        let mut bytes = Vec::new();
        for (index, envelope) in sent.iter().enumerate() {
            assert!(envelope.to_string().len() <= 1000);
            assert_eq!(envelope["type"], "server_message_chunk");
            assert_eq!((&envelope["seq_id"], &envelope["segment_id"]), (&json!(1), &json!(index)));
            assert_eq!(envelope["segment_count"], sent.len());
            assert_eq!(envelope["message_size_bytes"], size);
            bytes.extend(BASE64.decode(envelope["message_chunk_base64"].as_str().unwrap()).unwrap());
        }
        assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), message);
    }
}

#[test]
fn the_reference_programs_sizes_make_the_reference_programs_counts() {
    let limits = RemoteLinkLimits {
        envelope_bytes: 153_600,
        segment_bytes: 102_400,
        segments: 1024,
        segmented_message_bytes: 104_857_600,
        ..RemoteLinkLimits::small()
    };
    let key = StreamKey { client: "seg".into(), stream: "big".into() };
    for (size, count) in [(153_000, 1), (154_705, 2), (200_037, 2), (400_162, 4), (533_375, 6)] {
        let text = format!(r#""{}""#, "x".repeat(size - 2));
        let envelopes = super::super::segments::envelopes(&limits, &key, 4, Message::new(&text).unwrap()).unwrap();
        assert_eq!(envelopes.len(), count, "{size}");
        assert!(envelopes.iter().all(|envelope| envelope.len() <= 153_600));
    }
}

#[test]
fn a_message_too_long_for_its_segments_is_not_taken() {
    let mut test = initialized("c");
    let (key, generation) = test.latest("c", "s");
    let text = json!({"id": 2, "result": "x".repeat(5000)}).to_string();
    assert!(test.session.say(&key, generation, &text, test.now).is_err());
    test.say("c", "s", &json!({"id": 2, "result": {}}));
    assert_eq!(test.sent_numbers(), [1]);
}

#[test]
fn an_acknowledgement_of_some_segments_leaves_the_others() {
    let mut test = initialized("c");
    test.say("c", "s", &json!({"method": "before"}));
    test.say("c", "s", &json!({"method": "x".repeat(1700)}));
    assert_eq!(test.sent().len(), 4);
    test.receive(&json!({"type": "ack", "client_id": "c", "stream_id": "s", "seq_id": 2, "segment_id": 1}));
    test.session.replay();
    let left = test.sent();
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0]["seq_id"], &left[0]["segment_id"]), (&json!(2), &json!(2)));
    test.ack("c", "s", 2);
    test.session.replay();
    assert!(test.sent().is_empty());
}

#[test]
fn segments_become_a_message_and_only_the_last_one_moves_the_cursor() {
    let mut test = initialized("c");
    test.receive(&chunk("c", 2, 0, &PARTS));
    test.receive(&chunk("c", 2, 0, &PARTS));
    test.receive(&chunk("c", 2, 1, &PARTS));
    assert_eq!(test.session.cursor(), None);
    assert!(test.delivered().is_empty());
    test.session.replay();
    test.receive(&chunk("c", 2, 2, &PARTS));
    assert_eq!(test.delivered_ids(), [2]);
    assert_eq!(test.session.cursor(), Some("2/2"));
    for segment in 0..3 {
        test.receive(&chunk("c", 2, segment, &PARTS));
    }
    assert!(test.delivered().is_empty(), "a completed number is not put together again");
}

#[test]
fn a_stream_may_begin_with_segments_even_a_single_one() {
    let mut test = Harness::new();
    test.receive(&chunk("c", 1, 0, &[r#"{"id":0,"method":"initialize"}"#]));
    assert_eq!(test.delivered_ids(), [0]);
}

#[test]
fn a_skipped_segment_costs_the_message_which_may_come_again() {
    let mut test = initialized("c");
    test.receive(&chunk("c", 2, 0, &PARTS));
    test.receive(&chunk("c", 2, 2, &PARTS));
    test.receive(&chunk("c", 2, 1, &PARTS));
    assert!(test.delivered().is_empty());
    for segment in 0..3 {
        test.receive(&chunk("c", 2, segment, &PARTS));
    }
    assert_eq!(test.delivered_ids(), [2]);
}

#[test]
fn a_segment_that_fits_nothing_costs_the_message() {
    let wrong: [fn(&mut Value); 8] = [
        |it| it["segment_count"] = json!(9),
        |it| it["segment_count"] = json!(2),
        |it| it["segment_id"] = json!(3),
        |it| it["message_size_bytes"] = json!(0),
        |it| it["message_size_bytes"] = json!(4097),
        |it| it["message_chunk_base64"] = json!("%%%"),
        |it| it["message_chunk_base64"] = json!(""),
        |it| it["padding"] = json!("x".repeat(1000)),
    ];
    for (number, change) in wrong.iter().enumerate() {
        let mut test = initialized("c");
        test.receive(&chunk("c", 2, 0, &PARTS));
        let mut bad = chunk("c", 2, 1, &PARTS);
        change(&mut bad);
        test.receive(&bad);
        test.receive(&chunk("c", 2, 1, &PARTS));
        test.receive(&chunk("c", 2, 2, &PARTS));
        assert!(test.delivered().is_empty(), "{number}");
    }
}

#[test]
fn a_message_must_have_the_length_it_announced_and_be_one() {
    for parts in [&["{\"id\":2,", "\"method\":1}"][..], &["nonsense"]] {
        let mut test = initialized("c");
        for segment in 0..parts.len() {
            test.receive(&chunk("c", 2, segment, parts));
        }
        assert!(test.delivered().is_empty());
    }
    for claimed in [5, 500] {
        let mut test = initialized("c");
        for segment in 0..3 {
            let mut part = chunk("c", 2, segment, &PARTS);
            part["message_size_bytes"] = json!(claimed);
            test.receive(&part);
        }
        assert!(test.delivered().is_empty(), "{claimed}");
    }
}

#[test]
fn the_message_that_waits_for_longest_gives_way() {
    let mut test = Harness::new();
    for client in ["a", "b", "c"] {
        test.initialize(client, "s", 1);
        test.receive(&chunk(client, 2, 0, &PARTS));
    }
    test.delivered();
    for client in ["a", "b", "c"] {
        test.receive(&chunk(client, 2, 1, &PARTS));
        test.receive(&chunk(client, 2, 2, &PARTS));
    }
    let completed: Vec<_> = test.delivered().into_iter().map(|(stream, _)| stream).collect();
    assert_eq!(completed, ["b/s", "c/s"]);
}
