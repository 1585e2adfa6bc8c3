//! Tools of MCP servers reach the model, and what they do reaches everybody who follows the thread.

use std::fs;

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, methods, say, told};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::mcp::http::HttpServer;
use crate::support::mcp::{self, elicited, program};
use crate::support::model::{Reply, Wire};
use crate::support::process::Launch;
use crate::support::secrets;
use crate::support::server::Server;

/// Not a test of its own: the others start this binary as their MCP server.
#[test]
fn be_a_server() {
    mcp::be_a_server();
}

/// A home whose threads use the agent's model and these servers.
pub fn home(agent: &Agent, servers: &[String]) -> Home {
    Home::with_config(&(agent.model.config(Wire::Responses) + &servers.concat()))
}

/// A server of such a home.
pub fn serve(agent: &Agent, servers: &[String]) -> Server {
    Server::unix(Launch::at(&home(agent, servers)))
}

/// The model calls this tool of the server `demo`.
pub fn call(tool: &str, arguments: Value) -> Reply {
    Reply::call(&format!("mcp__demo__{tool}"), arguments)
}

pub fn done() -> Reply {
    Reply::text("Done.")
}

/// The states of servers that a client was told, in their order.
fn states(told: &[Value]) -> Vec<(String, String)> {
    let states = told.iter().filter(|message| message["method"] == "mcpServer/startupStatus/updated");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    states.map(|message| (text(&message["params"]["name"]), text(&message["params"]["status"]))).collect()
}

/// Answers the next question of an MCP server or about one: its params.
pub fn answer_next(client: &mut Client, answer: Value) -> Value {
    let mut request = client.next_notification_message("mcpServer/elicitation/request");
    client.send_raw(&json!({"id": request["id"], "result": answer}).to_string());
    request["params"].take()
}

#[test]
fn tools_reach_the_first_request_and_a_call_is_an_item_with_its_result() {
    let agent = Agent::new([call("echo", json!({"a": 1})), done()]);
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &thread);
    let told = told(&mut client);
    let state = |state: &str| ("demo".to_owned(), state.to_owned());
    assert_eq!(states(&told), [state("starting"), state("ready")]);
    let items = completed(&told, "mcpToolCall");
    assert_eq!(items.len(), 1);
    let item = &items[0];
    let members = ["server", "tool", "status", "arguments", "readOnlyHint", "error"].map(|name| item[name].clone());
    let expected = [json!("demo"), json!("echo"), json!("completed"), json!({"a": 1}), json!(true), Value::Null];
    assert_eq!(members, expected);
    assert_eq!(item["result"]["content"], json!([{"type": "text", "text": "echo with {\"a\":1}"}]));
    assert!(item["durationMs"].is_number());
    let output = &agent.outputs(1)[0];
    assert!(output.starts_with("Wall time: ") && output.ends_with("Output:\necho with {\"a\":1}"), "{output}");
    let offered = agent.model.requests()[0].tools();
    assert!(
        ["mcp__demo__echo", "mcp__demo__delete_all", "exec_command"]
            .iter()
            .all(|name| offered.iter().any(|tool| tool == name)),
        "{offered:?}"
    );
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"][0]["items"][1], *item);
}

#[test]
fn every_kind_of_result_reaches_the_model_and_the_item() {
    let tools = ["structured", "picture", "fails", "refuses", "tells", "long"];
    let calls = tools.into_iter().map(|tool| call(tool, json!({})));
    let agent = Agent::new(calls.chain([done()]));
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &thread);
    let told = told(&mut client);
    let items = completed(&told, "mcpToolCall");
    let statuses: Vec<_> = items.iter().map(|item| item["status"].as_str().unwrap_or_default()).collect();
    assert_eq!(statuses, ["completed", "completed", "failed", "failed", "completed", "completed"]);
    assert_eq!(items[0]["result"]["structuredContent"], json!({"x": 1}));
    assert_eq!(items[0]["result"]["_meta"], json!({"k": "v"}));
    assert_eq!(items[2]["result"]["content"][0]["text"], "it failed");
    assert!(items[3]["error"]["message"].as_str().is_some_and(|text| text.contains("boom")), "{}", items[3]);
    let last = agent.outputs(tools.len());
    let ends = ["{\"x\":1}", "", "it failed", "Mcp error: -32000: boom", "done", ""];
    assert!(last.iter().zip(ends).all(|(output, end)| output.ends_with(end)), "{last:?}");
    assert!(last[5].len() < 20_000, "{}", last[5].len());
    assert!(items[5].to_string().len() < 1 << 20);
    let progress: Vec<_> = told.iter().filter(|message| message["method"] == "item/mcpToolCall/progress").collect();
    assert_eq!(progress.len(), 1);
    assert_eq!(
        (&progress[0]["params"]["message"], &progress[0]["params"]["itemId"]),
        (&json!("half"), &items[4]["id"])
    );
}

#[test]
fn a_tool_that_may_change_things_is_asked_about_as_the_policy_says() {
    let tools = ["writes", "writes", "delete_all", "writes", "echo"];
    let agent = Agent::new(tools.into_iter().map(|tool| call(tool, json!({}))).chain([done()]));
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "on-request"}));
    say(&mut client, &thread);
    let asked = answer_next(&mut client, elicited("accept", json!({})));
    assert_eq!(asked["message"], "Allow the demo MCP server to run tool \"writes\"?");
    assert_eq!(asked["_meta"]["codex_approval_kind"], "mcp_tool_call");
    assert_eq!(asked["_meta"]["tool_description"], "Does writes");
    let whole_session = json!({"action": "accept", "content": {}, "_meta": {"persist": "session"}});
    answer_next(&mut client, whole_session);
    let asked = answer_next(&mut client, elicited("decline", Value::Null));
    assert_eq!(asked["_meta"]["tool_name"], "delete.all");
    // The fourth call was allowed by the second answer.
    let told = told(&mut client);
    assert!(methods(&told).iter().all(|method| *method != "mcpServer/elicitation/request"));
    let outputs = agent.outputs(tools.len());
    assert!(outputs[0].ends_with("writes with {}") && outputs[3].ends_with("writes with {}"), "{outputs:?}");
    assert!(outputs[2].ends_with("user rejected MCP tool call"), "{outputs:?}");
}

#[test]
fn who_is_never_asked_reads_only_unless_everything_is_allowed() {
    let calls = || [call("writes", json!({})), call("echo", json!({})), done()];
    let agent = Agent::new(calls().into_iter().chain(calls()));
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let confined = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": "workspace-write"}));
    say(&mut client, &confined);
    let statuses = |told: &[Value]| -> Vec<String> {
        completed(told, "mcpToolCall").iter().map(|item| item["status"].to_string()).collect()
    };
    assert_eq!(statuses(&told(&mut client)), ["\"failed\"", "\"completed\""]);
    assert!(agent.outputs(1)[0].ends_with("approval policy is never"), "{:?}", agent.outputs(1));
    let free = agent.free_thread(&mut client);
    say(&mut client, &free);
    assert_eq!(statuses(&told(&mut client)), ["\"completed\"", "\"completed\""]);
}

#[test]
fn a_question_of_a_server_is_answered_by_whichever_client_follows_the_thread() {
    let asks = || call("asks", json!({}));
    let agent = Agent::new([asks(), asks(), done(), asks(), done()]);
    let server = serve(&agent, &[program("demo", "")]);
    let (mut first, mut second) = (server.client(), server.client());
    let thread = agent.thread(&mut first, json!({"approvalPolicy": "on-request"}));
    second.call("thread/resume", json!({"threadId": thread}));
    say(&mut first, &thread);
    let asked = answer_next(&mut second, elicited("accept", json!({"name": "Ada"})));
    assert_eq!((&asked["message"], &asked["serverName"]), (&json!("Who?"), &json!("demo")));
    let schema =
        json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "title": "Name"}}});
    assert_eq!(asked["requestedSchema"], schema);
    // The first client was asked, too.
    first.next_notification_message("mcpServer/elicitation/request");
    first.next_notification("serverRequest/resolved");
    let request = first.next_notification_message("mcpServer/elicitation/request");
    first.send_raw(&json!({"id": request["id"], "result": elicited("decline", Value::Null)}).to_string());
    assert_eq!(ended(&mut first), "completed");
    let outputs = agent.outputs(2);
    assert!(outputs[0].contains(r#""name":"Ada""#) && outputs[0].contains("accept"), "{outputs:?}");
    assert!(outputs[1].contains("decline"), "{outputs:?}");

    let quiet = agent.thread(&mut first, json!({"approvalPolicy": "never"}));
    say(&mut first, &quiet);
    let told = told(&mut first);
    assert!(told.iter().all(|message| message["method"] != "mcpServer/elicitation/request"));
    assert!(agent.outputs(4)[0].contains("decline"), "{:?}", agent.outputs(4));
}

#[test]
fn a_server_over_http_gets_the_token_of_the_environment_and_nobody_else_sees_it() {
    let token = secrets::used("mcp-t0ken-of-this-test");
    let http = HttpServer::start(Some(&token));
    let agent = Agent::new([call("echo", json!({"b": 2})), call("tells", json!({})), done()]);
    let config = http.config("demo") + "bearer_token_env_var = \"MCP_TOKEN\"\nhttp_headers = { X-Own = \"1\" }\n";
    let other = http.config("other");
    let launch = Launch::at(&home(&agent, &[config, other])).env("MCP_TOKEN", &token).env("RUST_LOG", "trace");
    let server = Server::unix(launch);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &thread);
    let told = told(&mut client);
    let failed: Vec<_> = told.iter().filter(|message| message["params"]["status"] == "failed").collect();
    assert_eq!((failed.len(), &failed[0]["params"]["name"]), (1, &json!("other")));
    assert_eq!(failed[0]["params"]["failureReason"], "reauthenticationRequired");
    let items = completed(&told, "mcpToolCall");
    assert_eq!(items[0]["result"]["content"][0]["text"], "echo with {\"b\":2}");
    assert!(told.iter().any(|message| message["method"] == "item/mcpToolCall/progress"));
    assert!(http.requests().iter().any(|request| request.header("x-own") == Some("1") && request.bearer().is_some()));
    let listed = client.call("mcpServerStatus/list", json!({"threadId": thread}));
    let state = |number: usize| {
        ["name", "runtimeStatus", "authStatus", "httpOrigin"].map(|name| listed["data"][number][name].clone())
    };
    let origin = json!(http.origin());
    assert_eq!(state(0), [json!("demo"), json!("connected"), json!("bearerToken"), origin.clone()]);
    assert_eq!(state(1), [json!("other"), json!("authenticationRequired"), json!("notLoggedIn"), origin]);
    secrets::assert_none_in(&told.iter().chain([&listed]).map(Value::to_string).collect::<String>());
}

#[test]
fn a_client_lists_servers_with_their_tools_calls_one_and_reads_resources() {
    let agent = Agent::new([]);
    let disabled = program("off", "") + "enabled = false\n";
    let chosen = program("demo", "") + "enabled_tools = [\"echo\", \"writes\"]\ndisabled_tools = [\"writes\"]\n";
    let server = serve(&agent, &[chosen, disabled]);
    let mut client = server.client();
    let all = client.call("mcpServerStatus/list", json!({}));
    let states: Vec<_> =
        all["data"].as_array().expect("a list").iter().map(|one| one["runtimeStatus"].clone()).collect();
    assert_eq!(states, ["notStarted", "disabled"]);
    let thread = agent.thread(&mut client, json!({}));
    let own = client.call("mcpServerStatus/list", json!({"threadId": thread}));
    let demo = &own["data"][0];
    assert_eq!((&demo["runtimeStatus"], &demo["serverInfo"]["name"]), (&json!("connected"), &json!("of-a-test")));
    assert_eq!(demo["tools"]["delete.all"]["annotations"], json!({"destructiveHint": true}));
    assert_eq!(demo["resources"][0]["uri"], "test:a");
    let params = json!({"threadId": thread, "server": "demo", "tool": "fails", "arguments": {}});
    let called = client.call("mcpServer/tool/call", params);
    assert_eq!((&called["isError"], &called["content"][0]["text"]), (&json!(true), &json!("it failed")));
    let read = client.call("mcpServer/resource/read", json!({"threadId": thread, "server": "demo", "uri": "test:b"}));
    assert_eq!(read["contents"], json!([{"uri": "test:b", "text": "of a test"}]));
    let unknown = client.refusal("mcpServer/tool/call", json!({"threadId": thread, "server": "off", "tool": "echo"}));
    assert!(unknown.message.contains("no such server"), "{unknown:?}");
}

#[test]
fn the_model_sees_the_tools_that_are_enabled_and_new_ones_when_they_appear() {
    let chosen = program("demo", "") + "disabled_tools = [\"echo\"]\n";
    let agent = Agent::new([call("grows", json!({})), done()]);
    let server = serve(&agent, &[chosen, program("crowd", "many")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    let offered = agent.model.requests()[0].tools();
    let has = |name: &str| offered.iter().any(|tool| tool == name);
    assert!(!has("mcp__demo__echo") && has("mcp__demo__grows") && !has("mcp__demo__grown"));
    assert_eq!(offered.iter().filter(|tool| tool.starts_with("mcp__crowd__")).count(), 256);
    crate::support::eventually("the new tool is offered", || {
        agent.model.script([done()]);
        say(&mut client, &thread);
        ended(&mut client);
        let requests = agent.model.requests();
        requests.last().is_some_and(|request| request.tools().iter().any(|tool| tool == "mcp__demo__grown"))
    });
}

#[test]
fn a_changed_configuration_counts_with_the_next_turn_and_a_reload_starts_servers_anew() {
    let agent = Agent::new([call("echo", json!({})), done(), done(), done()]);
    let home = home(&agent, &[program("demo", "")]);
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    let turn = |client: &mut Client| {
        say(client, &thread);
        states(&told(client)).len()
    };
    assert_eq!((turn(&mut client), turn(&mut client)), (2, 0), "a server that runs is not started again");
    client.call("config/mcpServer/reload", Value::Null);
    assert_eq!(turn(&mut client), 2, "after a reload it is");
    fs::write(home.join("config.toml"), agent.model.config(Wire::Responses)).expect("it is written");
    agent.model.script([done()]);
    assert_eq!(turn(&mut client), 0);
    let last = agent.model.requests().pop().expect("a request").tools();
    assert!(!last.iter().any(|tool| tool.starts_with("mcp__")), "{last:?}");
}
