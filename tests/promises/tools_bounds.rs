//! Whatever a model wants and whatever its commands do: it costs the server little, and a person can end it.

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::eventually;
use crate::support::model::Reply;

/// Calls of one answer that are made, commands that run at a time, and bytes of arguments.
const MOST_CALLS: usize = 64;
const MOST_COMMANDS: usize = 16;
const MOST_BYTES: usize = 256 << 10;

fn done() -> Reply {
    Reply::text("Done.")
}

fn times(count: usize, name: &str, arguments: &Value) -> Reply {
    (0..count).fold(Reply::new(), |reply, _| reply.and_call(name, arguments.clone()))
}

#[test]
fn calls_beyond_the_bound_of_an_answer_are_told_and_not_made() {
    let plan = json!({"plan": [{"step": "look", "status": "pending"}]});
    let agent =
        Agent::new([times(MOST_CALLS + 6, "update_plan", &plan), done(), times(1, "update_plan", &plan), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(told.iter().filter(|message| message["method"] == "turn/plan/updated").count(), MOST_CALLS);
    let outputs = agent.outputs(1);
    let (made, others) = outputs.split_at(MOST_CALLS);
    assert!(made.iter().all(|output| output == "Plan updated"), "{made:?}");
    assert!(others.len() == 6 && others.iter().all(|output| output.starts_with("not called: ")), "{others:?}");
    // The next answer has as many again.
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    assert_eq!(agent.outputs(3).last().expect("an output"), "Plan updated");
}

#[test]
fn commands_beyond_the_bound_of_a_thread_are_told_and_do_not_wait() {
    let waits = json!({"cmd": "until [ -e go ]; do sleep 0.05; done", "login": false, "yield_time_ms": 250});
    let agent = Agent::new([times(MOST_COMMANDS + 4, "exec_command", &waits), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    let outputs = agent.outputs(1);
    let run = outputs.iter().filter(|output| output.contains("running with session ID")).count();
    let refused = outputs.iter().filter(|output| output.contains("16 commands of this thread run already")).count();
    assert_eq!((run, refused), (MOST_COMMANDS, 4), "{outputs:?}");
    std::fs::write(agent.work.join("go"), "").expect("a file");
    for _ in 0..MOST_COMMANDS {
        while client.next_notification("item/completed")["item"]["type"] != "commandExecution" {}
    }
}

#[test]
fn a_model_that_calls_for_ever_is_interrupted() {
    let agent = Agent::new([]);
    agent.model.always(Reply::call("exec_command", json!({"cmd": "true", "login": false})));
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let turn = say(&mut client, &thread);
    agent.model.wait_for_requests(5);
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(ended(&mut client), "interrupted");
    let asked = agent.model.requests().len();
    client.call("thread/read", json!({"threadId": thread}));
    assert_eq!(agent.model.requests().len(), asked, "nothing goes on behind the end");
}

#[test]
fn long_arguments_are_told_and_reach_no_client() {
    let long = |bytes: usize| "x".repeat(bytes);
    let calls = Reply::new()
        .and_call("exec_command", json!({"cmd": format!("true {}", long(10 << 20))}))
        .and_call("exec_command", json!({"cmd": "true", "justification": long(MOST_BYTES)}))
        .and_call("write_stdin", json!({"session_id": 10_000, "chars": long(MOST_BYTES)}))
        .and_call("update_plan", json!({"plan": [{"step": long(MOST_BYTES), "status": "pending"}]}))
        .and_call("apply_patch", json!({"patch": format!("*** Begin Patch\n*** Add File: a\n+{}", long(4 << 20))}))
        .and_call("apply_patch", json!({"patch": long(9 << 20)}))
        .and_call(&long(1 << 20), json!({}));
    let agent = Agent::new([calls, done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(told.last().expect("an end")["params"]["turn"]["status"], "completed");
    let longest = told.iter().map(|message| message.to_string().len()).max();
    assert!(longest < Some(4096), "{longest:?}");
    let outputs = agent.outputs(1);
    let starts = ["not called: "; 4].into_iter().chain(["apply_patch verification failed: ", "not called: "]);
    for (output, start) in outputs.iter().zip(starts.chain(["unsupported call: xxx"])) {
        assert!(output.starts_with(start) && output.len() < 2048, "{start}: {} bytes: {output:.200}", output.len());
    }
    assert_eq!(outputs.len(), 7);
}

#[test]
fn the_long_name_of_a_call_does_not_name_its_item() {
    let call = Reply::new().and_call_as(&"x".repeat(1 << 20), "exec_command", "{\"cmd\":\"echo a\",\"login\":false}");
    let agent = Agent::new([call, done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(completed(&told, "commandExecution")[0]["status"], "completed");
    let longest = told.iter().map(|message| message.to_string().len()).max();
    assert!(longest < Some(4096), "{longest:?}");
    assert!(agent.outputs(1)[0].ends_with("a\n"), "the model gets its answer all the same");
}

#[test]
fn a_flood_of_output_costs_the_same_memory_however_long_it_is() {
    // What an allocator and a debug build take besides.
    const SLACK_KIB: u64 = 6 << 10;
    let floods = ["cat", "tr '\\0' x", "tr '\\0' '\\n'", "tr '\\0' '\\033'", "tr '\\0' '\\377'"];
    let agent = Agent::new([]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let mut flood = |mebibytes: u64| {
        for flood in floods {
            let cmd = format!("head -c {} /dev/zero | {flood}", mebibytes << 20);
            let call = Reply::call("exec_command", json!({"cmd": cmd, "login": false, "yield_time_ms": 30_000}));
            agent.model.script([call, done()]);
            say(&mut client, &thread);
            let told = told(&mut client);
            let [item] = completed(&told, "commandExecution").try_into().expect("one command");
            assert_eq!(item["exitCode"], 0, "{flood}");
        }
        server.process.peak_kib()
    };
    flood(4);
    let before = flood(4);
    let after = flood(32);
    eprintln!("{before} KiB became {after} KiB");
    assert!(after < before + SLACK_KIB, "{before} KiB became {after} KiB");
}

#[test]
fn commands_that_multiply_end_with_their_turn() {
    let marker = format!("{}.625", std::process::id());
    let crowd = format!("for i in $(seq 150); do (trap '' TERM HUP; exec sleep {marker}) & done; echo ready; wait");
    // Each of them starts the next one and ends.
    let hop = format!("trap '' TERM HUP\nsleep 0.01\nsetsid sh hop {marker} &\n");
    let hops = format!("sh hop {marker}; echo ready; exec sleep {marker}");
    for sandbox in ["danger-full-access", "workspace-write"] {
        for script in [&crowd, &hops] {
            let agent = Agent::new([Reply::call("exec_command", json!({"cmd": script, "login": false}))]);
            std::fs::write(agent.work.join("hop"), &hop).expect("a file");
            let server = agent.server();
            let mut client = server.client();
            let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": sandbox}));
            let turn = say(&mut client, &thread);
            client.next_notification("item/commandExecution/outputDelta");
            client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
            assert_eq!(ended(&mut client), "interrupted");
            eventually("they are gone", || !super::tools_leaks::runs_somewhere(&marker));
        }
    }
}
