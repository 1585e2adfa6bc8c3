//! What the agent needs a client for: tools that the client brought along, questions to its user; and pictures.

use std::fs;

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, say, told};
use crate::support::client::Client;
use crate::support::model::Reply;

fn answer(client: &mut Client, request: &Value, result: Value) {
    client.send_raw(&json!({"id": request["id"], "result": result}).to_string());
}

#[test]
fn a_clients_tools_are_offered_called_one_after_the_other_and_their_answers_told_to_the_model() {
    let both = Reply::call("weather__now", json!({"city": "Graz"})).and_call("dice", json!({}));
    let agent = Agent::new([both, Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let function =
        |name: &str| json!({"type": "function", "name": name, "description": "d", "inputSchema": {"type": "object"}});
    let weather = json!({"type": "namespace", "name": "weather", "description": "w", "tools": [function("now")]});
    let tools = json!({"approvalPolicy": "never", "dynamicTools": [weather, function("dice")]});
    let thread = agent.thread(&mut client, tools);
    say(&mut client, &thread);
    let first = client.next_notification_message("item/tool/call");
    let asked = |request: &Value| ["namespace", "tool", "arguments"].map(|name| request["params"][name].clone());
    assert_eq!(asked(&first), [json!("weather"), json!("now"), json!({"city": "Graz"})]);
    answer(&mut client, &first, json!({"contentItems": [{"type": "inputText", "text": "sunny"}], "success": true}));
    let second = client.next_notification_message("item/tool/call");
    assert_eq!(asked(&second), [Value::Null, json!("dice"), json!({})]);
    client.send_raw(&json!({"id": second["id"], "error": {"code": 1, "message": "no dice"}}).to_string());
    let items = completed(&told(&mut client), "dynamicToolCall");
    let ends: Vec<_> = items.iter().map(|item| (item["tool"].as_str(), item["status"].as_str())).collect();
    assert_eq!(ends, [(Some("now"), Some("completed")), (Some("dice"), Some("failed"))]);
    assert_eq!(agent.outputs(1), ["sunny", "dynamic tool request failed"]);
    let offered = agent.model.requests()[0].tools();
    assert!(["weather__now", "dice"].iter().all(|name| offered.iter().any(|tool| tool == name)), "{offered:?}");
}

#[test]
fn a_question_of_a_plan_waits_for_the_users_answer_and_is_asked_only_then() {
    let question = json!({"questions": [{"id": "color", "header": "Color", "question": "Which?", "options": [
        {"label": "Red", "description": "r"}, {"label": "Blue", "description": "b"}
    ]}]});
    let ask = || Reply::call("request_user_input", question.clone());
    let agent = Agent::new([ask(), Reply::text("No plan."), ask(), Reply::text("Red, then.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    told(&mut client);
    assert!(agent.outputs(1)[0].contains("only while you plan"), "{:?}", agent.outputs(1));

    let mode =
        json!({"mode": "plan", "settings": {"model": "m", "reasoning_effort": null, "developer_instructions": null}});
    client.call("thread/settings/update", json!({"threadId": thread, "collaborationMode": mode}));
    say(&mut client, &thread);
    let request = client.next_notification_message("item/tool/requestUserInput");
    assert_eq!(request["params"]["questions"][0]["options"][1]["label"], "Blue");
    let list = client.call("thread/read", json!({"threadId": thread}));
    assert_eq!(list["thread"]["status"]["activeFlags"], json!(["waitingOnUserInput"]));
    answer(&mut client, &request, json!({"answers": {"color": {"answers": ["Red"]}}}));
    told(&mut client);
    let outputs = agent.outputs(3);
    assert_eq!(outputs.last().expect("an output"), r#"{"answers":{"color":{"answers":["Red"]}}}"#);
}

#[test]
fn a_picture_is_shown_to_the_model_and_what_is_none_is_refused_in_words() {
    let view = |path: &str| Reply::call("view_image", json!({"path": path}));
    let agent = Agent::new([view("p.png"), view("text.png"), view("missing.png"), Reply::text("Seen.")]);
    fs::write(agent.work.join("p.png"), b"\x89PNG\r\n\x1a\n....").expect("a file");
    fs::write(agent.work.join("text.png"), "no picture").expect("a file");
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let views = completed(&told(&mut client), "imageView");
    let paths: Vec<_> = views.iter().map(|item| item["path"].clone()).collect();
    assert_eq!(paths, [json!(agent.work.join("p.png"))]);
    let sent = agent.model.requests()[1].entries();
    assert!(sent.iter().any(|entry| entry.to_string().contains("data:image/png;base64,")), "{sent:#?}");
    let words = agent.outputs(3).concat();
    assert!(words.contains("text.png: it is not a") && words.contains("missing.png"), "{words}");
}
