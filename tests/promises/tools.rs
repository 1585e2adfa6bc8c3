//! Tools: what a model calls is done, everybody sees it, and nothing that it writes ends a turn.

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, methods, say, told};
use crate::support::eventually;
use crate::support::model::Reply;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_transport_with_commands};

const COMMAND: &str = "commandExecution";

fn run(command: &str) -> Reply {
    Reply::call("exec_command", json!({"cmd": command, "login": false}))
}

fn done() -> Reply {
    Reply::text("Done.")
}

/// The text of all deltas of the item.
fn deltas(told: &[Value], item: &Value) -> String {
    let deltas = told.iter().filter(|message| message["method"] == "item/commandExecution/outputDelta");
    let of_item = deltas.filter(|message| message["params"]["itemId"] == item["id"]);
    of_item.filter_map(|message| message["params"]["delta"].as_str()).collect()
}

/// Waits until no process has this id, which a command wrote into a file.
fn gone(pid: &str) {
    let pid = Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process id");
    eventually("the process has ended", || test_kill_process(pid).is_err());
}

#[test]
fn a_command_is_an_item_with_every_byte_of_its_output() {
    over_every_transport_with_commands(|serving| {
        let agent = Agent::new([run("echo out; echo err >&2; exit 3"), done()]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = agent.free_thread(&mut client);
        let turn = say(&mut client, &thread);
        let told = told(&mut client);
        let [item] = completed(&told, COMMAND).try_into().expect("one command");
        assert_eq!(
            (&item["status"], &item["exitCode"], &item["aggregatedOutput"], &item["source"]),
            (&json!("failed"), &json!(3), &json!("out\nerr\n"), &json!("unifiedExecStartup"))
        );
        assert_eq!(deltas(&told, &item), "out\nerr\n");
        let about = |message: &&Value| {
            message["params"]["itemId"] == item["id"] || message["params"]["item"]["id"] == item["id"]
        };
        let its: Vec<Value> = told.iter().filter(about).cloned().collect();
        let (first, last) = (its.first().expect("a start"), its.last().expect("an end"));
        assert_eq!((&first["method"], &last["method"]), (&json!("item/started"), &json!("item/completed")));
        assert!(its.iter().all(|message| message["params"]["turnId"] == turn), "{its:#?}");
        let started = &first["params"]["item"];
        assert_eq!((&started["status"], &started["processId"]), (&json!("inProgress"), &item["processId"]));
        let output = &agent.outputs(1)[0];
        assert!(output.contains("Process exited with code 3\n") && output.ends_with("Output:\nout\nerr\n"), "{output}");
        let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
        assert!(read["thread"]["turns"][0]["items"].as_array().expect("items").contains(&item), "{read:#}");
    });
}

#[test]
fn keys_of_model_providers_are_not_for_commands() {
    let agent = Agent::new([run("echo $OPENAI_API_KEY $CODEX_API_KEY $KEPT"), done()]);
    let keys = agent.launch().env("OPENAI_API_KEY", "one").env("CODEX_API_KEY", "two").env("KEPT", "kept");
    let server = Server::unix(keys);
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let [item] = completed(&told(&mut client), COMMAND).try_into().expect("one command");
    assert_eq!(item["aggregatedOutput"], "kept\n");
}

#[test]
fn calls_run_beside_each_other_and_their_outputs_keep_the_order_of_the_calls() {
    // Each waits for the other, so none of them ends unless both run.
    let meet = |mine: &str, other: &str| {
        let wait = format!("touch {mine}; until [ -e {other} ]; do sleep 0.01; done; echo {mine}");
        json!({"cmd": wait, "login": false})
    };
    let both = Reply::call("exec_command", meet("first", "second")).and_call("exec_command", meet("second", "first"));
    let agent = Agent::new([both, done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    let outputs = agent.outputs(1);
    assert!(outputs[0].ends_with("first\n") && outputs[1].ends_with("second\n"), "{outputs:?}");
}

#[test]
fn what_a_model_gets_wrong_is_told_to_it_and_is_no_item() {
    let wrong = Reply::new()
        .and_call_as("a", "exec_command", "{\"cmd\": ")
        .and_call_as("b", "exec_command", "{\"cmd\": 7}")
        .and_call_as("c", "exec_command", "{\"cmd\":\"ls\",\"sandbox_permissions\":\"everything\"}")
        .and_call_as("d", "fly", "{}")
        .and_call_as("e", "write_stdin", "{\"session_id\": 1}");
    let agent = Agent::new([wrong, done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(told.last().expect("an end")["params"]["turn"]["status"], "completed");
    assert_eq!(completed(&told, COMMAND), Vec::<Value>::new());
    let outputs = agent.outputs(1);
    let starts = ["failed to parse function arguments: "; 3].into_iter();
    for (output, start) in outputs.iter().zip(starts.chain(["unsupported call: fly", "write_stdin failed: "])) {
        assert!(output.starts_with(start), "{output:?} does not begin with {start:?}");
    }
    assert_eq!(outputs.len(), 5);
}

#[test]
fn long_output_is_shortened_for_the_model_and_bounded_for_clients() {
    const MOST_FOR_MODEL: usize = 11_000;
    const MOST_FOR_CLIENTS: usize = (1 << 20) + 200;
    let agent = Agent::new([run("echo begin; head -c 3000000 /dev/zero | tr '\\0' x; echo end"), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    let [item] = completed(&told, COMMAND).try_into().expect("one command");
    let shown = item["aggregatedOutput"].as_str().expect("a text");
    assert!(shown.starts_with("begin\nx") && shown.ends_with("xend\n"), "both ends are kept");
    assert!(shown.contains(" bytes omitted ...") && shown.len() < MOST_FOR_CLIENTS, "{} bytes", shown.len());
    assert!(deltas(&told, &item) == shown, "the deltas add up to the output");
    let output = &agent.outputs(1)[0];
    assert!(output.len() < MOST_FOR_MODEL && output.contains("chars truncated"), "{} bytes", output.len());
    assert!(output.ends_with("xend\n"), "the model sees the end too");
}

#[test]
fn an_interrupt_ends_the_whole_tree_of_a_command() {
    let stubborn = "trap '' TERM; (trap '' TERM; echo $BASHPID > child; while :; do sleep 1; done) & \
                    echo $$ > parent; echo ready; while :; do sleep 1; done";
    let agent = Agent::new([run(stubborn)]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let turn = say(&mut client, &thread);
    client.next_notification("item/commandExecution/outputDelta");
    let pid = |name: &str| {
        let path = agent.work.join(name);
        eventually("the process says who it is", || std::fs::read_to_string(&path).is_ok_and(|it| it.ends_with('\n')));
        std::fs::read_to_string(path).expect("a file")
    };
    let (parent, child) = (pid("parent"), pid("child"));
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    let told = told(&mut client);
    assert_eq!(told.last().expect("an end")["params"]["turn"]["status"], "interrupted");
    let [item] = completed(&told, COMMAND).try_into().expect("its item is completed before the turn");
    assert_eq!(item["status"], "failed");
    gone(&parent);
    gone(&child);
}

#[test]
fn a_command_may_outlive_its_turn_and_then_completes_in_it() {
    let wait = "echo begun; until [ -e go ]; do sleep 0.01; done; echo late";
    let first = Reply::call("exec_command", json!({"cmd": wait, "login": false, "yield_time_ms": 250}));
    let agent = Agent::new([first, done(), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let first = say(&mut client, &thread);
    let before = told(&mut client);
    assert_eq!(completed(&before, COMMAND), Vec::<Value>::new());
    let output = &agent.outputs(1)[0];
    assert!(output.contains("Process running with session ID ") && output.ends_with("begun\n"), "{output}");
    let second = say(&mut client, &thread);
    assert_ne!(first, second);
    assert_eq!(ended(&mut client), "completed");
    std::fs::write(agent.work.join("go"), "").expect("a file");
    let message = loop {
        let message = client.next_notification("item/completed");
        if message["item"]["type"] == COMMAND {
            break message;
        }
    };
    assert_eq!((&message["turnId"], &message["item"]["exitCode"]), (&json!(first), &json!(0)));
    assert_eq!(message["item"]["aggregatedOutput"], "begun\nlate\n");
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert!(read["thread"]["turns"][0]["items"].as_array().expect("items").contains(&message["item"]), "{read:#}");
}

#[test]
fn a_model_types_into_a_command_on_a_terminal() {
    let ask = json!({"cmd": "read -r name; echo hello $name", "login": false, "tty": true, "yield_time_ms": 250});
    let agent = Agent::new([Reply::call("exec_command", ask)]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    // The model learns the number of the session from the output.
    agent.model.script([done()]);
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    let output = agent.outputs(1)[0].clone();
    let session = output.split("session ID ").nth(1).and_then(|rest| rest.lines().next()).expect("a session");
    let number: u64 = session.parse().expect("a number");
    let typed = json!({"session_id": number, "chars": "Ada\n", "yield_time_ms": 20_000});
    agent.model.script([Reply::call("write_stdin", typed), done()]);
    say(&mut client, &thread);
    let told = told(&mut client);
    let interaction = told.iter().find(|it| it["method"] == "item/commandExecution/terminalInteraction");
    let params = &interaction.expect("an interaction")["params"];
    assert_eq!((&params["processId"], &params["stdin"]), (&json!(session), &json!("Ada\n")));
    let outputs = agent.outputs(3);
    assert!(outputs[1].contains("exited with code 0") && outputs[1].contains("hello Ada"), "{outputs:?}");
}

#[test]
fn everybody_sees_the_same_command_and_the_plan() {
    over_every_shared_transport(|serving| {
        let steps = json!([{"step": "look", "status": "completed"}, {"step": "leap", "status": "in_progress"}]);
        let plan = Reply::call("update_plan", json!({"explanation": "first", "plan": steps}));
        let agent = Agent::new([plan, run("echo shared"), done()]);
        agent.move_in(serving.codex_home());
        let (mut ann, mut bob) = (serving.client(), serving.client());
        let thread = agent.free_thread(&mut ann);
        ann.call("thread/name/set", json!({"threadId": thread, "name": "shared"}));
        bob.call("thread/resume", json!({"threadId": thread}));
        say(&mut ann, &thread);
        let [seen_by_ann, seen_by_bob] = [&mut ann, &mut bob].map(|client| {
            let mut told = told(client);
            told.retain(|message| !methods(std::slice::from_ref(message)).is_empty());
            told
        });
        assert_eq!(seen_by_ann, seen_by_bob);
        let plan = seen_by_ann.iter().find(|message| message["method"] == "turn/plan/updated").expect("a plan");
        let steps = json!([{"step": "look", "status": "completed"}, {"step": "leap", "status": "inProgress"}]);
        assert_eq!((&plan["params"]["explanation"], &plan["params"]["plan"]), (&json!("first"), &steps));
    });
}
