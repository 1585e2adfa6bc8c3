//! A thread exists as soon as it is started, with all members that clients expect.

use serde_json::{Value, json};

use crate::support::assert_order;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Members of a thread, as the reference program orders them.
const THREAD: &[&str] = &[
    "id",
    "environments",
    "extra",
    "sessionId",
    "forkedFromId",
    "attachedToThreadId",
    "parentThreadId",
    "preview",
    "ephemeral",
    "section",
    "sectionEnteredAt",
    "projectId",
    "historyMode",
    "modelProvider",
    "model",
    "reasoningEffort",
    "createdAt",
    "updatedAt",
    "recencyAt",
    "status",
    "path",
    "cwd",
    "cliVersion",
    "originator",
    "source",
    "canAcceptDirectInput",
    "threadSource",
    "agentNickname",
    "agentRole",
    "gitInfo",
    "name",
    "daybreakEnabled",
    "turns",
];

/// Members of the answer after the thread.
const ANSWER: &[&str] = &[
    "model",
    "modelProvider",
    "serviceTier",
    "disabledPluginIds",
    "cwd",
    "runtimeWorkspaceRoots",
    "instructionSources",
    "approvalPolicy",
    "approvalsReviewer",
    "sandbox",
    "activePermissionProfile",
    "reasoningEffort",
    "multiAgentMode",
];

#[test]
fn the_answer_writes_every_member_null_ones_too() {
    let server = Server::unix(Launch::new());
    let mut client = server.connect();
    // So that the answer is the next text.
    let unwanted = json!(["configWarning", "remoteControl/status/changed"]);
    client.initialize_with(json!({"experimentalApi": true, "optOutNotificationMethods": unwanted}));
    client.send_raw(r#"{"id":"s","method":"thread/start","params":{}}"#);
    let text = client.next_text("the answer");
    assert_order(&text, &[&["thread"], THREAD, ANSWER].concat());
    let answer: Value = serde_json::from_str(&text).expect("JSON");
    let result = answer["result"].as_object().expect("an object");
    assert_eq!(result.len(), ANSWER.len() + 1, "{text}");
    assert_eq!(result["thread"].as_object().expect("an object").len(), THREAD.len(), "{text}");
}

#[test]
fn a_fresh_thread_is_idle_unnamed_and_empty() {
    let server = Server::ws(Launch::new());
    let mut client = server.client();
    let answer = client.call("thread/start", json!({}));
    let thread = &answer["thread"];
    let home = server.process.codex_home().canonicalize().expect("it exists");
    let cwd = home.to_str().expect("text");
    assert_eq!(thread["sessionId"], thread["id"]);
    assert_eq!(thread["status"], json!({"type": "idle"}));
    assert_eq!((&thread["name"], &thread["preview"], &thread["turns"]), (&Value::Null, &json!(""), &json!([])));
    assert_eq!((&thread["ephemeral"], &thread["canAcceptDirectInput"]), (&json!(false), &json!(true)));
    assert_eq!((&thread["cliVersion"], &thread["originator"]), (&json!("0.171.0"), &json!("promises")));
    assert_eq!(thread["source"], "vscode");
    assert_eq!((&thread["cwd"], &answer["cwd"]), (&json!(cwd), &json!(cwd)));
    assert_eq!(answer["runtimeWorkspaceRoots"], json!([cwd]));
    assert_eq!(thread["createdAt"], thread["updatedAt"]);
    let read = client.call("thread/read", json!({"threadId": thread["id"]}));
    assert_eq!(read["thread"], *thread);
}

#[test]
fn a_thread_takes_what_its_client_wants() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let answer = client.call(
        "thread/start",
        json!({
            "cwd": "/no/such/directory", "model": "some-model", "sandbox": "workspace-write", "approvalPolicy": "never",
            "config": {"model_reasoning_effort": "high"}, "threadSource": "user", "historyMode": "legacy",
        }),
    );
    let thread = &answer["thread"];
    assert_eq!((&thread["cwd"], &answer["cwd"]), (&json!("/no/such/directory"), &json!("/no/such/directory")));
    assert_eq!((&thread["model"], &answer["model"]), (&json!("some-model"), &json!("some-model")));
    assert_eq!((&answer["sandbox"]["type"], &answer["approvalPolicy"]), (&json!("workspaceWrite"), &json!("never")));
    assert_eq!((&thread["reasoningEffort"], &answer["reasoningEffort"]), (&json!("high"), &json!("high")));
    assert_eq!((&thread["threadSource"], &thread["historyMode"]), (&json!("user"), &json!("legacy")));
}

#[test]
fn a_relative_working_directory_starts_at_the_servers_own() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let home = server.process.codex_home().canonicalize().expect("it exists");
    for (given, expected) in [("relative/dir", home.join("relative/dir")), ("", home.clone())] {
        let answer = client.call("thread/start", json!({"cwd": given}));
        assert_eq!(answer["cwd"], expected.to_str().expect("text"), "{given}");
    }
}

#[test]
fn config_toml_says_what_a_thread_starts_with() {
    let home = crate::support::home::Home::with_config(
        "model = \"configured\"\nmodel_reasoning_effort = \"low\"\napproval_policy = \"never\"\nsandbox_mode = \"danger-full-access\"\n",
    );
    let server = Server::stdio(Launch::at(&home));
    let answer = server.client().call("thread/start", json!({}));
    assert_eq!((&answer["model"], &answer["reasoningEffort"]), (&json!("configured"), &json!("low")));
    assert_eq!((&answer["approvalPolicy"], &answer["sandbox"]["type"]), (&json!("never"), &json!("dangerFullAccess")));
}

#[test]
fn the_session_source_of_the_command_line_is_the_source_of_new_threads() {
    let server = Server::stdio(Launch::new().args(&["--session-source", "cli"]));
    assert_eq!(server.client().call("thread/start", json!({}))["thread"]["source"], "cli");
}

#[test]
fn an_unknown_provider_is_refused() {
    let server = Server::stdio(Launch::new());
    let error = server.client().refusal("thread/start", json!({"modelProvider": "nope"}));
    let text = "failed to load configuration: Model provider `nope` not found";
    assert_eq!((error.code, error.message.as_str()), (-32600, text));
}
