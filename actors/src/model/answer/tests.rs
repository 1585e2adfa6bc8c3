use proptest::prelude::*;

use super::*;
use crate::model::sse::EventTooLong;
use crate::protocol::model::{HistoryItem, TokenUsage};

/// What a consumer saw, one line for each event.
fn told(events: &[ModelEvent]) -> Vec<String> {
    events.iter().map(line).collect()
}

fn line(event: &ModelEvent) -> String {
    match event {
        ModelEvent::Started => "started".to_owned(),
        ModelEvent::TextDelta { item, delta } => format!("{item} text {delta}"),
        ModelEvent::ReasoningSummaryPart { item, index } => format!("{item} part {index}"),
        ModelEvent::ReasoningSummaryDelta { item, index, delta } => format!("{item} summary {index} {delta}"),
        ModelEvent::ReasoningDelta { item, index, delta } => format!("{item} thought {index} {delta}"),
        ModelEvent::ItemDone { item, entry, cut } => {
            let cut = if *cut { "cut" } else { "done" };
            match entry {
                HistoryItem::Message { .. } => format!("{item} {cut} message {}", entry.said()),
                HistoryItem::Reasoning(_) => {
                    let thought = entry.thought();
                    format!("{item} {cut} reasoning {:?} {:?}", thought.summary, thought.content)
                }
                HistoryItem::FunctionCall { call_id, name, arguments } => {
                    let call_id = if call_id.starts_with("call_0") { "made" } else { call_id };
                    format!("{item} {cut} call {call_id} {name} {arguments}")
                }
                other => format!("{item} {cut} {}", serde_json::to_string(other).unwrap()),
            }
        }
        ModelEvent::Usage(TokenUsage { input, output, .. }) => format!("usage {input} {output}"),
        ModelEvent::RateLimit(limit) => format!("limit {:?}", limit.limit_id),
        ModelEvent::Retrying(_) => "retrying".to_owned(),
        ModelEvent::Completed => "completed".to_owned(),
    }
}

/// Reads a stream in pieces, and cuts it after a fault, as a caller does.
fn read_in(wire: WireApi, pieces: &[&[u8]]) -> (Vec<ModelEvent>, Result<(), StreamFault>) {
    let (mut answer, mut out) = (Answer::new(wire, 0, 100_000), Vec::new());
    let read = pieces.iter().try_for_each(|piece| answer.push(piece, &mut out)).and_then(|()| answer.end(&mut out));
    if read.is_err() {
        answer.cut(&mut out);
    }
    (out, read)
}

fn read(wire: WireApi, stream: &str) -> (Vec<String>, Result<(), StreamFault>) {
    let (events, read) = read_in(wire, &[stream.as_bytes()]);
    (told(&events), read)
}

/// A stream of these events.
fn stream(events: &[&str]) -> String {
    events.iter().map(|event| format!("data: {event}\n\n")).collect()
}

fn responses(events: &[&str]) -> (Vec<String>, Result<(), StreamFault>) {
    let typed: Vec<String> = events.iter().map(|event| event.replacen("{\"", "{\"type\":\"response.", 1)).collect();
    read(WireApi::Responses, &stream(&typed.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn chat(events: &[&str]) -> (Vec<String>, Result<(), StreamFault>) {
    read(WireApi::Chat, &stream(events))
}

/// A chunk that adds this.
fn adding(delta: &str) -> String {
    format!(r#"{{"choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
}

const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const COSTS: &str = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
const MESSAGE: &str = r#"{"output_item.done","item":{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"hi"}]}}"#;
const END: &str = r#"{"completed","response":{"id":"r","usage":{"input_tokens":3,"output_tokens":2}}}"#;

mod of_responses {
    use super::*;

    #[test]
    fn an_answer_is_told_as_it_comes() {
        let (told, read) = responses(&[
            r#"{"created","response":{}}"#,
            r#"{"output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs","summary":[]}}"#,
            r#"{"reasoning_summary_part.added","item_id":"rs","summary_index":0,"part":{}}"#,
            r#"{"reasoning_summary_text.delta","item_id":"rs","summary_index":0,"delta":"hm"}"#,
            r#"{"reasoning_text.delta","item_id":"rs","content_index":0,"delta":"raw"}"#,
            r#"{"in_progress","response":{}}"#,
            r#"{"output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"hm"}]}}"#,
            r#"{"output_item.added","output_index":1,"item":{"type":"message","id":"m","role":"assistant","content":[]}}"#,
            r#"{"output_text.delta","item_id":"m","output_index":1,"delta":"h"}"#,
            r#"{"in_progress","response":{}}"#,
            r#"{"output_text.delta","item_id":"m","output_index":1,"delta":"i"}"#,
            MESSAGE,
            r#"{"output_item.added","item":{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":""}}"#,
            r#"{"function_call_arguments.delta","item_id":"fc","delta":"{}"}"#,
            r#"{"output_item.done","item":{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{}"}}"#,
            END,
        ]);
        let expected = [
            "0 part 0",
            "0 summary 0 hm",
            "0 thought 0 raw",
            r#"0 done reasoning ["hm"] []"#,
            "1 text h",
            "1 text i",
            "1 done message hi",
            "2 done call c f {}",
            "usage 3 2",
            "completed",
        ];
        assert_eq!(told, expected);
        assert_eq!(read, Ok(()));
    }

    #[test]
    fn the_least_that_a_server_may_say_is_enough() {
        assert_eq!(
            responses(&[MESSAGE, r#"{"completed","response":{"id":"r"}}"#]).0,
            ["0 done message hi", "completed"]
        );
        assert_eq!(responses(&[MESSAGE, MESSAGE, END, END]).0, ["0 done message hi", "usage 3 2", "completed"]);
        let whole = r#"{"completed","response":{"output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi"}]}]}}"#;
        assert_eq!(responses(&[whole]).0, ["0 done message hi", "completed"]);
    }

    #[test]
    fn deltas_without_an_end_are_a_whole_item() {
        let (told, read) = responses(&[
            r#"{"output_item.added","item":{"type":"message","id":"m","role":"assistant"}}"#,
            r#"{"output_text.delta","item_id":"m","delta":"hi"}"#,
            r#"{"output_item.added","item":{"type":"function_call","call_id":"c","name":"f"}}"#,
            r#"{"function_call_arguments.done","arguments":"{\"a\":1}"}"#,
            END,
        ]);
        let expected = ["0 text hi", "0 done message hi", r#"1 done call c f {"a":1}"#, "usage 3 2", "completed"];
        assert_eq!(told, expected);
        assert_eq!(read, Ok(()));
        assert_eq!(
            responses(&[r#"{"output_text.delta","delta":"hi"}"#, END]).0[..2],
            ["0 text hi", "0 done message hi"]
        );
        assert_eq!(responses(&[r#"{"output_text.done","text":"hi"}"#, END]).0[..2], ["0 text hi", "0 done message hi"]);
    }

    #[test]
    fn a_refusal_is_shown() {
        let (told, _) = responses(&[
            r#"{"refusal.delta","item_id":"m","delta":"no"}"#,
            r#"{"output_item.done","item":{"type":"message","id":"m","role":"assistant","content":[{"type":"refusal","refusal":"no"}]}}"#,
            END,
        ]);
        assert_eq!(told[..2], ["0 text no", "0 done message no"]);
    }

    #[test]
    fn what_began_ends_however_the_answer_does() {
        let begun = r#"{"output_text.delta","delta":"ha"}"#;
        let half_a_call =
            r#"{"output_item.added","item":{"type":"function_call","call_id":"c","name":"f","arguments":"{"}}"#;
        let shown = ["0 text ha", "0 cut message ha"];
        let (told, read) = responses(&[begun, half_a_call]);
        assert_eq!((told.as_slice(), read), (shown.map(str::to_owned).as_slice(), Err(StreamFault::Broken)));
        let failed = r#"{"failed","response":{"error":{"code":"server_error","message":"m"}}}"#;
        let (told, read) = responses(&[begun, half_a_call, failed]);
        assert_eq!(told, shown);
        assert!(matches!(read, Err(StreamFault::Failed(_))), "{read:?}");
        let incomplete = r#"{"incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":3,"output_tokens":2}}}"#;
        let (told, read) = responses(&[begun, incomplete]);
        assert_eq!(told, ["0 text ha", "0 cut message ha", "usage 3 2"]);
        assert_eq!(read, Err(StreamFault::Incomplete("max_output_tokens".into())));
    }

    #[test]
    fn nothing_is_no_answer() {
        let faults = |events: &[&str]| responses(events).1.unwrap_err();
        assert_eq!(faults(&[END]), StreamFault::Empty);
        assert_eq!(faults(&[r#"{"completed"}"#]), StreamFault::Empty);
        let wordless = r#"{"output_item.done","item":{"type":"message","role":"assistant","content":[]}}"#;
        assert_eq!(faults(&[wordless, END]), StreamFault::Empty);
        assert_eq!(faults(&[]), StreamFault::Broken);
        assert!(matches!(read(WireApi::Responses, "data: [1\n\n").1, Err(StreamFault::Garbled(_))));
    }

    #[test]
    fn the_other_wire_is_recognized() {
        assert_eq!(read(WireApi::Responses, &stream(&[STOP])).1, Err(StreamFault::OtherWire(WireApi::Chat)));
        let created = stream(&[r#"{"type":"response.created","response":{}}"#]);
        assert_eq!(read(WireApi::Chat, &created).1, Err(StreamFault::OtherWire(WireApi::Responses)));
    }
}

mod of_chat;

#[test]
fn something_else_than_a_stream_is_shown() {
    for wire in [WireApi::Responses, WireApi::Chat] {
        assert_eq!(read(wire, "<html>\n<p>Log in").1, Err(StreamFault::NoStream("<html>\n<p>Log in".into())));
        assert_eq!(read(wire, "").1, Err(StreamFault::Broken));
        assert_eq!(read(wire, ": nothing\n\n").1, Err(StreamFault::NoStream(": nothing\n\n".into())));
        let endless = format!("data: {}", "x".repeat(200_000));
        assert_eq!(read(wire, &endless).1, Err(StreamFault::TooLong(EventTooLong(100_000))));
    }
}

/// Answers of a real server.
const RECORDED: [(WireApi, &str, &str); 4] = [
    (WireApi::Responses, include_str!("recorded/responses-plain.sse"), "usage 21 24"),
    (WireApi::Chat, include_str!("recorded/chat-plain.sse"), "usage 21 24"),
    (WireApi::Chat, include_str!("recorded/chat-json-schema.sse"), "0 done message"),
    (WireApi::Chat, include_str!("recorded/chat-with-tools-offered.sse"), "usage 36 40"),
];

#[test]
fn recorded_answers_are_read() {
    for (wire, stream, expected) in RECORDED {
        let (told, _) = read(wire, stream);
        let said: String = told.iter().filter_map(|line| line.strip_prefix("0 text ")).collect();
        let done = told.iter().find_map(|line| line.split_once(" message ").map(|(_, text)| text.to_owned()));
        assert_eq!(Some(said), done);
        assert!(told.iter().any(|line| line.starts_with(expected)), "{told:#?}");
    }
}

/// What holds of every stream: see [`ModelEvent`].
fn check(events: &[ModelEvent], read: &Result<(), StreamFault>) {
    let mut open = std::collections::BTreeSet::new();
    let mut done = std::collections::BTreeSet::new();
    for event in events {
        match event {
            ModelEvent::TextDelta { item, .. }
            | ModelEvent::ReasoningSummaryPart { item, .. }
            | ModelEvent::ReasoningSummaryDelta { item, .. }
            | ModelEvent::ReasoningDelta { item, .. } => {
                assert!(!done.contains(item), "{events:?}");
                open.insert(*item);
            }
            ModelEvent::ItemDone { item, .. } => {
                open.remove(item);
                assert!(done.insert(*item), "{events:?}");
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{events:?}");
    let completed = events.iter().filter(|event| matches!(event, ModelEvent::Completed)).count();
    assert_eq!(completed, usize::from(read.is_ok()));
    assert!(read.is_err() || !done.is_empty(), "an empty success");
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn recorded_answers_can_be_cut_anywhere(
        which in 0..RECORDED.len(),
        end in any::<prop::sample::Index>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        crlf in any::<bool>(),
    ) {
        let (wire, stream, _) = RECORDED[which];
        let stream = if crlf { stream.replace('\n', "\r\n") } else { stream.to_owned() };
        let bytes = &stream.as_bytes()[..end.index(stream.len() + 1)];
        let (whole, whole_read) = read_in(wire, &[bytes]);
        let (events, read) = read_in(wire, &pieces(bytes, &cuts));
        prop_assert_eq!(told(&events), told(&whole));
        prop_assert_eq!(&read, &whole_read);
        check(&events, &read);
    }

    #[test]
    fn events_in_any_order_leave_nothing_open(
        chat in any::<bool>(),
        picked in prop::collection::vec((0..EVENTS.len(), 0..3u8), 0..24),
    ) {
        let wire = if chat { WireApi::Chat } else { WireApi::Responses };
        let events: Vec<String> = picked.iter().map(|(event, n)| EVENTS[*event].replace('#', &n.to_string())).collect();
        let text = stream(&events.iter().map(String::as_str).collect::<Vec<_>>());
        let (events, read) = read_in(wire, &[text.as_bytes()]);
        check(&events, &read);
    }
}

/// Pieces of both wires; `#` is a number.
const EVENTS: [&str; 24] = [
    r#"{"type":"response.created","response":{}}"#,
    r##"{"type":"response.output_item.added","output_index":#,"item":{"type":"message","id":"i#","role":"assistant","content":[]}}"##,
    r##"{"type":"response.output_item.added","item":{"type":"reasoning","id":"i#","summary":[]}}"##,
    r##"{"type":"response.output_item.added","item":{"type":"function_call","id":"i#","call_id":"c","name":"f"}}"##,
    r##"{"type":"response.output_text.delta","item_id":"i#","delta":"a"}"##,
    r##"{"type":"response.output_text.delta","output_index":#,"delta":"b"}"##,
    r#"{"type":"response.output_text.done","text":"c"}"#,
    r##"{"type":"response.reasoning_summary_part.added","item_id":"i#","summary_index":#}"##,
    r##"{"type":"response.reasoning_summary_text.delta","item_id":"i#","summary_index":#,"delta":"d"}"##,
    r##"{"type":"response.reasoning_text.delta","content_index":#,"delta":"e"}"##,
    r##"{"type":"response.function_call_arguments.delta","item_id":"i#","delta":"{}"}"##,
    r##"{"type":"response.output_item.done","output_index":#,"item":{"type":"message","id":"i#","role":"assistant","content":[]}}"##,
    r##"{"type":"response.output_item.done","item":{"type":"reasoning","id":"i#","summary":[]}}"##,
    r##"{"type":"response.output_item.done","item":{"type":"function_call","id":"i#","call_id":"c#","name":"f","arguments":"{}"}}"##,
    r#"{"type":"response.completed","response":{"output":[{"type":"reasoning"}],"usage":{"input_tokens":1}}}"#,
    r#"{"type":"response.failed","response":{}}"#,
    r#"{"choices":[{"delta":{"content":"a"}}]}"#,
    r#"{"choices":[{"delta":{"reasoning":"b"}}]}"#,
    r##"{"choices":[{"delta":{"tool_calls":[{"index":#,"id":"c#","function":{"name":"f","arguments":"{}"}}]}}]}"##,
    r##"{"choices":[{"delta":{"tool_calls":[{"index":#,"function":{"arguments":"{}"}}]}}]}"##,
    r#"{"choices":[{"delta":{"content":"c"},"finish_reason":"stop"}]}"#,
    r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
    r#"{"choices":[],"usage":{"prompt_tokens":1}}"#,
    "[DONE]",
];
