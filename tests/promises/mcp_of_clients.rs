//! What clients and models may do with MCP servers beyond calling tools: name some for one thread, and read resources.

use serde_json::{Value, json};

use crate::mcp::{call, done, home, serve};
use crate::support::agent::{Agent, completed, say, told};
use crate::support::mcp::program;
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::server::Server;

/// What a client sends so that its thread has this server.
fn named(name: &str) -> Value {
    let config: toml::Table = program(name, "").parse().expect("TOML");
    json!({"approvalPolicy": "never", "config": serde_json::to_value(config).expect("JSON")})
}

#[test]
fn a_server_that_a_client_names_for_its_thread_is_there_for_each_of_its_turns_and_for_no_other_thread() {
    let agent = Agent::new([call("echo", json!({"a": 1})), done(), done(), done()]);
    let server = serve(&agent, &[]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, named("demo"));
    say(&mut client, &thread);
    assert_eq!(completed(&told(&mut client), "mcpToolCall")[0]["status"], "completed");
    say(&mut client, &thread);
    told(&mut client);
    let other = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &other);
    told(&mut client);
    let requests = agent.model.wait_for_requests(4);
    let has = |number: usize| requests[number].tools().iter().any(|tool| tool == "mcp__demo__echo");
    assert_eq!([has(0), has(2), has(3)], [true, true, false]);
    let own = client.call("mcpServerStatus/list", json!({"threadId": thread}));
    assert_eq!(own["data"][0]["name"], "demo");
}

#[test]
fn the_model_lists_and_reads_resources_where_a_server_has_some() {
    let list = Reply::call("list_mcp_resources", json!({}));
    let read = Reply::call("read_mcp_resource", json!({"server": "demo", "uri": "test:a"}));
    let wrong = Reply::call("read_mcp_resource", json!({"server": "nobody", "uri": "test:a"}));
    let agent = Agent::new([list, read, wrong, done()]);
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never"}));
    say(&mut client, &thread);
    let told = told(&mut client);
    assert!(agent.model.requests()[0].tools().iter().any(|tool| tool == "read_mcp_resource"));
    let listed: Value = serde_json::from_str(&agent.outputs(1)[0]).expect("JSON");
    assert_eq!((&listed[0]["server"], &listed[0]["resources"][0]["uri"]), (&json!("demo"), &json!("test:a")));
    assert!(agent.outputs(2)[1].ends_with("Output:\nof a test"), "{:?}", agent.outputs(2));
    assert!(agent.outputs(3)[2].contains("no such server"), "{:?}", agent.outputs(3));
    let items = completed(&told, "mcpToolCall");
    let shown: Vec<[&Value; 3]> = items.iter().map(|item| [&item["server"], &item["tool"], &item["status"]]).collect();
    let tool = json!("read_mcp_resource");
    assert_eq!(shown, [[&json!("demo"), &tool, &json!("completed")], [&json!("nobody"), &tool, &json!("failed")]]);
}

#[test]
fn without_resources_the_model_is_not_offered_to_read_them() {
    let agent = Agent::new([done()]);
    let server = Server::unix(Launch::at(&home(&agent, &[])));
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({}));
    say(&mut client, &thread);
    told(&mut client);
    assert!(!agent.model.requests()[0].tools().iter().any(|tool| tool.contains("mcp")));
}
