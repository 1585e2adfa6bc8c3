use super::*;

async fn answer(request: ModelRequest) -> (Vec<String>, Option<ModelFailure>) {
    let [echo, ..] = Provider::built_in();
    told(client(&[]).ask(Arc::new(Provider { request_max_retries: Some(1), ..echo }), request)).await
}

fn message(lines: &[String]) -> String {
    lines.iter().find_map(|line| line.split_once(" done ")).unwrap().1.to_owned()
}

#[actix_rt::test]
async fn it_says_back_what_it_was_told_word_by_word() {
    let (lines, failure) = answer(question("slow: 0\nhello there")).await;
    let words = ["0 You ", "0 said: ", "0 hello ", "0 there", "0 done You said: hello there", "usage false"];
    assert_eq!(lines[1..7], words);
    assert_eq!(failure, None);
    let mut second = question("x");
    second.input.push(HistoryItem::text(Role::Assistant, "You said: x"));
    second.input.push(HistoryItem::text(Role::User, "slow: 0\ny"));
    assert_eq!(message(&answer(second).await.0), "You said: y (and I have answered once before)");
}

#[actix_rt::test]
async fn it_runs_commands_one_after_the_other() {
    let tools = [ToolSpec {
        name: "exec_command".to_owned(),
        description: String::new(),
        parameters: serde_json::value::to_raw_value(&serde_json::json!({})).unwrap(),
    }];
    let mut request = ModelRequest { tools: tools.into(), ..question("slow: 0\nfirst\nrun: ls\nrun: pwd\nlast") };
    let mut commands = Vec::new();
    let mut last = Vec::new();
    for output in ["a", "b"] {
        let [echo, ..] = Provider::built_in();
        let mut stream = client(&[]).ask(Arc::new(echo), request.clone());
        let mut called = None;
        while let Some(event) = timeout(PATIENCE, stream.next()).await.unwrap() {
            if let ModelEvent::ItemDone { entry, .. } = event.unwrap() {
                if let HistoryItem::FunctionCall { call_id, arguments, .. } = &entry {
                    commands.push(arguments.clone());
                    called = Some(call_id.clone());
                } else {
                    last.push(entry.said());
                }
                request.input.push(entry);
            }
        }
        let output = crate::protocol::model::ToolOutput::Text(output.to_owned());
        request.input.push(HistoryItem::FunctionCallOutput { call_id: called.unwrap(), output });
    }
    assert_eq!(commands, [r#"{"cmd":"ls"}"#, r#"{"cmd":"pwd"}"#]);
    assert_eq!(last, ["You said: first", "The command says:\na"]);
    let (lines, _) = answer(request).await;
    assert!(message(&lines).starts_with("The command says:\nb\nYou said: last"), "{lines:?}");
}

#[actix_rt::test]
async fn it_thinks_and_fails_as_it_is_told() {
    let (lines, _) = answer(question("slow: 0\nthink: a b\nhello")).await;
    assert_eq!(lines[1..3], ["ReasoningSummaryPart", "ReasoningSummaryDelta"]);
    let (lines, failure) = answer(question("slow: 0\nfail: overloaded")).await;
    assert!(lines.contains(&"Reconnecting... 1/5".to_owned()), "{lines:?}");
    assert_eq!(failure.unwrap().info, CodexErrorInfo::ServerOverloaded);
    let (lines, failure) = answer(question("fail: in some way")).await;
    assert_eq!(failure, None);
    assert!(message(&lines).contains("unauthorized"));
    let (lines, _) = answer(question("")).await;
    assert!(message(&lines).contains("`run: COMMAND`"));
}
