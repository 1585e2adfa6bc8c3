//! Approvals of commands: who is asked, what each answer does, and what becomes of a question that nobody answers.

use serde_json::{Value, json};

use crate::support::agent::{Agent, COMMAND_APPROVAL, completed, decide, ended, methods, say, told};
use crate::support::client::Client;
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::secrets;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_transport_with_commands};

/// The start of a reason for every command that would run unconfined.
const OUTSIDE: &str = "it would run outside of the sandbox";

/// Writes a file, outside of the sandbox.
fn write_file(name: &str) -> Value {
    json!({"cmd": format!("touch {name}"), "login": false, "sandbox_permissions": "require_escalated",
        "justification": "may I?"})
}

fn run(arguments: Value) -> Reply {
    Reply::call("exec_command", arguments)
}

fn done() -> Reply {
    Reply::text("Done.")
}

/// A thread that asks.
fn asking_thread(agent: &Agent, client: &mut Client) -> String {
    agent.thread(client, json!({"approvalPolicy": "on-request", "sandbox": "workspace-write"}))
}

/// Waits until a command is asked about: the request.
fn asked(client: &mut Client) -> Value {
    client.next_notification_message(COMMAND_APPROVAL)
}

/// Has an agent write `a.txt` outside of the sandbox and answers with `decision`: the command's item, what the model was
/// told, and how the turn ended.
fn after(decision: Value, replies: impl IntoIterator<Item = Reply>) -> (Agent, Value, String) {
    let agent = Agent::new(std::iter::once(run(write_file("a.txt"))).chain(replies));
    let server = agent.server();
    let mut client = server.client();
    let thread = asking_thread(&agent, &mut client);
    say(&mut client, &thread);
    let request = asked(&mut client);
    decide(&mut client, &request, decision);
    let told = told(&mut client);
    let [item] = completed(&told, "commandExecution").try_into().expect("one command");
    let status = told.last().expect("an end")["params"]["turn"]["status"].as_str().expect("a status").to_owned();
    (agent, item, status)
}

#[test]
fn a_question_says_what_would_run_and_everything_comes_in_its_order() {
    over_every_transport_with_commands(|serving| {
        let agent = Agent::new([run(write_file("a.txt")), done()]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = asking_thread(&agent, &mut client);
        let turn = say(&mut client, &thread);
        let mut before = Vec::new();
        let request = loop {
            let message = client.next_told("a question");
            if message["method"] == COMMAND_APPROVAL {
                break message;
            }
            before.push(message);
        };
        assert!(!agent.work.join("a.txt").exists(), "nothing runs before the answer");
        let mut statuses = before.iter().filter(|message| message["method"] == "thread/status/changed");
        let flags = statuses.next_back().expect("a status")["params"]["status"]["activeFlags"].clone();
        assert_eq!(flags, json!(["waitingOnApproval"]));
        let item =
            &before.iter().rfind(|message| message["method"] == "item/started").expect("an item")["params"]["item"];
        let params = &request["params"];
        assert_eq!(
            (&params["itemId"], &params["turnId"], &params["threadId"]),
            (&item["id"], &json!(turn), &json!(thread))
        );
        assert_eq!((&item["processId"], &item["source"]), (&Value::Null, &json!("agent")));
        assert!(params["command"].as_str().expect("a command").ends_with("-c 'touch a.txt'"), "{params}");
        let reason = params["reason"].as_str().expect("a reason");
        assert!(reason.starts_with(OUTSIDE) && reason.ends_with("the agent says: may I?"), "{reason}");
        assert_eq!(params["cwd"].as_str(), agent.work.path().to_str());

        decide(&mut client, &request, json!("accept"));
        let told = told(&mut client);
        let order = methods(&told);
        assert_eq!(order.first(), Some(&"serverRequest/resolved"), "{order:?}");
        assert_eq!(completed(&told, "commandExecution")[0]["status"], "completed");
        assert!(agent.work.join("a.txt").exists());
    });
}

#[test]
fn declining_tells_the_model_and_the_turn_goes_on() {
    let (agent, item, status) = after(json!("decline"), [done()]);
    assert_eq!((&item["status"], status.as_str()), (&json!("declined"), "completed"));
    assert_eq!(agent.outputs(1), ["rejected by user"]);
    assert!(!agent.work.join("a.txt").exists());
}

#[test]
fn cancelling_ends_the_turn() {
    let (agent, item, status) = after(json!("cancel"), []);
    assert_eq!((&item["status"], status.as_str()), (&json!("declined"), "interrupted"));
    assert!(!agent.work.join("a.txt").exists());
    assert_eq!(agent.model.requests().len(), 1, "the model is not asked again");
}

#[test]
fn nonsense_is_no_consent() {
    for nonsense in [json!("yes"), json!(true), json!({"accept": {}}), Value::Null] {
        let (agent, item, status) = after(nonsense, [done()]);
        assert_eq!((&item["status"], status.as_str()), (&json!("failed"), "completed"));
        assert_eq!(agent.outputs(1), ["approval request failed"]);
        assert!(!agent.work.join("a.txt").exists());
    }
}

/// Answers the first question with `decision`, and says which of the later commands are asked about again.
fn asked_again(first: Value, decision: Value, later: &[Value]) -> Vec<bool> {
    let replies = std::iter::once(first).chain(later.iter().cloned()).map(run);
    let agent = Agent::new(replies.chain([done()]));
    let server = agent.server();
    let mut client = server.client();
    let thread = asking_thread(&agent, &mut client);
    say(&mut client, &thread);
    let request = asked(&mut client);
    decide(&mut client, &request, decision);
    let (mut asked, mut since) = (Vec::new(), false);
    let mut first = true;
    loop {
        let message = client.next_told("the end of the turn");
        match message["method"].as_str() {
            Some(COMMAND_APPROVAL) => {
                since = true;
                decide(&mut client, &message, json!("decline"));
            }
            Some("item/completed") if message["params"]["item"]["type"] == "commandExecution" => {
                if !std::mem::take(&mut first) {
                    asked.push(since);
                }
                since = false;
            }
            Some("turn/completed") => return asked,
            _ => {}
        }
    }
}

#[test]
fn for_the_session_means_exactly_this_command() {
    let (same, mut elsewhere) = (write_file("a.txt"), write_file("a.txt"));
    elsewhere["workdir"] = json!("/tmp");
    let later = [same.clone(), write_file("b.txt"), elsewhere];
    assert_eq!(asked_again(same, json!("acceptForSession"), &later), [false, true, true]);
}

#[test]
fn a_prefix_counts_only_if_it_was_proposed() {
    let with_prefix = |name: &str| {
        let mut arguments = write_file(name);
        arguments["prefix_rule"] = json!(["touch"]);
        arguments
    };
    let amendment = |words: &[&str]| json!({"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}});
    let later = [write_file("b.txt"), json!({"cmd": "rm -rf b.txt", "login": false})];
    assert_eq!(asked_again(with_prefix("a.txt"), amendment(&["touch"]), &later), [false, true]);
    let mut other = write_file("b.txt");
    other["cmd"] = json!("mkdir folder");
    assert_eq!(asked_again(with_prefix("a.txt"), amendment(&["mkdir"]), &[write_file("b.txt"), other]), [true, true]);
}

#[test]
fn two_questions_can_be_open_and_are_answered_in_any_order() {
    let both = run(write_file("a.txt")).and_call("exec_command", write_file("b.txt"));
    let agent = Agent::new([both, done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = asking_thread(&agent, &mut client);
    say(&mut client, &thread);
    let (first, second) = (asked(&mut client), asked(&mut client));
    assert_ne!(first["id"], second["id"]);
    decide(&mut client, &second, json!("accept"));
    decide(&mut client, &first, json!("decline"));
    assert_eq!(ended(&mut client), "completed");
    let of = |request: &Value, name: &str| request["params"]["command"].as_str().expect("text").contains(name);
    let accepted = if of(&second, "b.txt") { "b.txt" } else { "a.txt" };
    for name in ["a.txt", "b.txt"] {
        assert_eq!(agent.work.join(name).exists(), name == accepted, "{name}");
    }
}

#[test]
fn who_joins_is_asked_too_and_the_first_answer_counts() {
    over_every_shared_transport(|serving| {
        let agent = Agent::new([run(write_file("a.txt")), done()]);
        agent.move_in(serving.codex_home());
        let (mut ann, mut bob) = (serving.client(), serving.client());
        let thread = asking_thread(&agent, &mut ann);
        say(&mut ann, &thread);
        let for_ann = asked(&mut ann);
        let resumed = bob.call("thread/resume", json!({"threadId": thread}));
        assert_eq!(resumed["thread"]["status"]["activeFlags"], json!(["waitingOnApproval"]));
        let for_bob = asked(&mut bob);
        assert_eq!(for_ann, for_bob);
        decide(&mut bob, &for_bob, json!("decline"));
        for client in [&mut ann, &mut bob] {
            let resolved = client.next_notification("serverRequest/resolved");
            assert_eq!(resolved, json!({"threadId": thread, "requestId": for_ann["id"]}));
        }
        decide(&mut ann, &for_ann, json!("accept"));
        assert_eq!(ended(&mut ann), "completed");
        assert!(!agent.work.join("a.txt").exists(), "the second answer comes too late");
    });
}

#[test]
fn an_interrupt_withdraws_the_question_before_the_turn_ends() {
    let agent = Agent::new([run(write_file("a.txt"))]);
    let server = agent.server();
    let mut client = server.client();
    let thread = asking_thread(&agent, &mut client);
    let turn = say(&mut client, &thread);
    let request = asked(&mut client);
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    let told = told(&mut client);
    assert!(methods(&told).contains(&"serverRequest/resolved"), "{told:#?}");
    assert_eq!(completed(&told, "commandExecution")[0]["status"], "declined");
    assert_eq!(told.last().expect("an end")["params"]["turn"]["status"], "interrupted");
    decide(&mut client, &request, json!("accept"));
    client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert!(!agent.work.join("a.txt").exists(), "an answer after the end does nothing");
}

#[test]
fn a_question_waits_for_a_client_when_all_have_left() {
    let agent = Agent::new([run(write_file("a.txt")), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = asking_thread(&agent, &mut client);
    say(&mut client, &thread);
    asked(&mut client);
    drop(client);
    let mut client = server.client();
    client.call("thread/resume", json!({"threadId": thread}));
    let request = asked(&mut client);
    decide(&mut client, &request, json!("accept"));
    assert_eq!(ended(&mut client), "completed");
    assert!(agent.work.join("a.txt").exists());
}

#[test]
fn who_may_only_observe_is_not_asked() {
    let agent = Agent::new([run(write_file("a.txt")), done()]);
    let home = agent.model.home(crate::support::model::Wire::Responses);
    let mut launch = Launch::at(&home).args(&["--ws-auth", "capability-token"]);
    for (scopes, token) in [("observe:", "the-token-of-the-observer"), ("", "the-token-for-everything")] {
        let path = secrets::file(&home, token, token);
        launch = launch.arg("--ws-token-file").arg(format!("{scopes}{}", path.display()));
    }
    let server = Server::ws(launch);
    let [mut observer, mut client] =
        ["the-token-of-the-observer", "the-token-for-everything"].map(|token| server.client_with_token(token));
    let thread = asking_thread(&agent, &mut client);
    client.call("thread/name/set", json!({"threadId": thread, "name": "watched"}));
    observer.call("thread/resume", json!({"threadId": thread}));
    say(&mut client, &thread);
    let request = asked(&mut client);
    decide(&mut client, &request, json!("decline"));
    let told = told(&mut observer);
    assert!(!told.iter().any(|message| message.get("id").is_some()), "{told:#?}");
    assert_eq!(completed(&told, "commandExecution")[0]["status"], "declined");
}

#[test]
fn an_accepted_command_may_write_in_the_workspace_of_a_thread_that_only_reads() {
    let agent = Agent::new([run(json!({"cmd": "touch inside", "login": false})), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "untrusted", "sandbox": "read-only"}));
    say(&mut client, &thread);
    let request = client.next_notification_message(COMMAND_APPROVAL);
    let reason = request["params"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("it may write in the workspace"), "{reason}");
    decide(&mut client, &request, json!("accept"));
    told(&mut client);
    assert!(agent.work.join("inside").exists(), "the person's yes is not in vain");
}
