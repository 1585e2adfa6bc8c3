use super::*;

#[test]
fn an_answer_is_told_as_it_comes() {
    let (told, read) = chat(&[
        &adding(r#"{"role":"assistant","content":null}"#),
        &adding(r#"{"reasoning_content":"hm"}"#),
        &adding(r#"{"content":"h"}"#),
        &adding(r#"{"content":"i"}"#),
        STOP,
        COSTS,
        "[DONE]",
    ]);
    let expected = [
        "0 thought 0 hm",
        r#"0 done reasoning [] ["hm"]"#,
        "1 text h",
        "1 text i",
        "1 done message hi",
        "usage 3 2",
        "completed",
    ];
    assert_eq!(told, expected);
    assert_eq!(read, Ok(()));
}

#[test]
fn an_end_needs_no_costs_and_no_last_word() {
    let said = adding(r#"{"content":"hi"}"#);
    let shown = ["0 text hi", "0 done message hi", "completed"];
    assert_eq!(chat(&[&said, STOP]).0, shown);
    assert_eq!(chat(&[&said, "[DONE]"]).0, shown);
    assert_eq!(chat(&[&said, STOP, r#"{"choices":null,"usage":null}"#, "[DONE]"]).0, shown);
    let at_once = r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;
    assert_eq!(chat(&[at_once]).0, ["0 text hi", "0 done message hi", "usage 1 0", "completed"]);
}

/// The calls of an answer whose pieces are these.
fn calls(pieces: &[&str]) -> Vec<String> {
    let pieces: Vec<String> = pieces.iter().map(|call| adding(&format!(r#"{{"tool_calls":[{call}]}}"#))).collect();
    let mut events: Vec<&str> = pieces.iter().map(String::as_str).collect();
    events.push(STOP);
    let (told, read) = chat(&events);
    assert_eq!(read, Ok(()));
    told.iter().filter_map(|line| Some(line.split_once(" done call ")?.1.to_owned())).collect()
}

#[test]
fn calls_are_put_together_from_pieces() {
    let (f, g) = (r#"a f {"x":1}"#, r#"b g {"y":2}"#);
    // As OpenAI does it.
    let pieces = [
        r#"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
        r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
        r#"{"index":0,"function":{"arguments":"1}"}}"#,
        r#"{"index":1,"id":"b","function":{"name":"g","arguments":""}}"#,
        r#"{"index":1,"function":{"arguments":"{\"y\":2}"}}"#,
    ];
    assert_eq!(calls(&pieces), [f, g]);
    // The pieces of two calls in turn.
    let pieces = [
        r#"{"index":0,"id":"a","function":{"name":"f"}}"#,
        r#"{"index":1,"id":"b","function":{"name":"g"}}"#,
        r#"{"index":0,"function":{"arguments":"{\"x\":"}}"#,
        r#"{"index":1,"function":{"arguments":"{\"y\":"}}"#,
        r#"{"index":0,"function":{"arguments":"1}"}}"#,
        r#"{"index":1,"function":{"arguments":"2}"}}"#,
    ];
    assert_eq!(calls(&pieces), [f, g]);
    // Every one with the number 0, or with none.
    for index in [r#""index":0,"#, ""] {
        let whole = |rest: &str| format!("{{{index}{rest}}}");
        let pieces = [
            whole(r#""id":"a","function":{"name":"f","arguments":"{\"x\":1}"}"#),
            whole(r#""id":"b","function":{"name":"g","arguments":{"y":2}}"#),
        ];
        assert_eq!(calls(&pieces.each_ref().map(String::as_str)), [f, g]);
    }
    // Id and name in every piece.
    let pieces = [
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":"}}"#,
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"1}"}}"#,
        r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{\"y\":2}"}}"#,
    ];
    assert_eq!(calls(&pieces), [f, g]);
}

#[test]
fn calls_without_ids_get_some() {
    let pieces = [
        r#"{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}"#,
        r#"{"index":0,"function":{"name":"f","arguments":"{\"x\":2}"}}"#,
        r#"{"index":0,"function":{"arguments":"{\"x\":3}"}}"#,
        r#"{"index":0,"function":{"name":"g"}}"#,
    ];
    assert_eq!(calls(&pieces), [r#"made f {"x":1}"#, r#"made f {"x":2}"#, r#"made f {"x":3}"#, "made g {}"]);
    // Two calls of one id, told apart by their numbers.
    let pieces = [
        r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
        r#"{"index":1,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
    ];
    assert_eq!(calls(&pieces), ["a f {}", "made f {}"]);
}

#[test]
fn a_call_of_an_unfinished_answer_is_not_made() {
    let call = adding(r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}"#);
    let said = adding(r#"{"content":"ha"}"#);
    let (told, read) = chat(&[&said, &call]);
    assert_eq!((told, read), (vec!["0 text ha".into(), "0 cut message ha".into()], Err(StreamFault::Broken)));
    for (word, reason) in [("length", "max_output_tokens"), ("content_filter", "content_filter")] {
        let end = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"{word}"}}]}}"#);
        let (told, read) = chat(&[&said, &call, &end, COSTS]);
        assert_eq!(told, ["0 text ha", "0 cut message ha", "usage 3 2"]);
        assert_eq!(read, Err(StreamFault::Incomplete(reason.into())));
    }
}

#[test]
fn nothing_is_no_answer() {
    assert_eq!(chat(&[STOP]).1, Err(StreamFault::Empty));
    assert_eq!(chat(&["[DONE]"]).1, Err(StreamFault::Empty));
    assert_eq!(chat(&[COSTS]).1, Err(StreamFault::Broken));
    assert!(matches!(chat(&[r#"{"error":{"message":"m"}}"#]).1, Err(StreamFault::Failed(_))));
    let named = read(WireApi::Chat, "event: error\ndata: out of memory\n\n").1;
    assert!(matches!(named, Err(StreamFault::Failed(error)) if error.message.as_deref() == Some("out of memory")));
}
