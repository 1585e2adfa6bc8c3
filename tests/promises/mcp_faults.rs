//! An MCP server that hangs, dies, floods or talks nonsense costs its own calls, and nothing of it is left behind.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::mcp::{call, done, home, serve};
use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::eventually;
use crate::support::mcp::{program, stubborn_program};
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::secrets;
use crate::support::server::Server;
use crate::tools_leaks::runs_somewhere;

/// What was told of the end of a server's start: its name, and why it failed.
fn failures(told: &[Value]) -> Vec<(String, String)> {
    let all = told.iter().filter(|message| message["params"]["status"] == "failed");
    let failed = all.filter(|message| message["method"] == "mcpServer/startupStatus/updated");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    failed.map(|message| (text(&message["params"]["name"]), text(&message["params"]["error"]))).collect()
}

fn never() -> Value {
    json!({"approvalPolicy": "never"})
}

#[test]
fn a_server_that_does_not_start_is_named_and_the_turn_goes_on_with_the_others() {
    let agent = Agent::new([call("echo", json!({})), done()]);
    let hangs = program("hangs", "hang").replace("startup_timeout_sec = 30", "startup_timeout_sec = 0.3");
    let nowhere = "[mcp_servers.nowhere]\ncommand = \"/nowhere/at/all\"\n".to_owned();
    let unclear = "[mcp_servers.unclear]\nargs = [\"x\"]\n".to_owned();
    let servers = [hangs, program("dies", "die"), program("garbage", "garbage"), nowhere, unclear, program("demo", "")];
    let server = serve(&agent, &servers);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let told = told(&mut client);
    let failed = failures(&told);
    let why = |name: &str| {
        let found = failed.iter().find(|(failed, _)| failed == name);
        found.unwrap_or_else(|| panic!("{name} in {failed:?}")).1.clone()
    };
    assert!(why("hangs").contains("startup_timeout_sec"), "{}", why("hangs"));
    assert!(why("dies").contains("exit code 3") && why("dies").contains("no licence was found"), "{}", why("dies"));
    assert!(why("garbage").contains("are not MCP"), "{}", why("garbage"));
    assert!(why("nowhere").contains("could not be started"), "{}", why("nowhere"));
    assert!(why("unclear").contains("neither a command nor a url"), "{}", why("unclear"));
    assert_eq!(completed(&told, "mcpToolCall")[0]["status"], "completed");
}

#[test]
fn the_first_turn_waits_for_servers_but_not_for_ever() {
    let agent = Agent::new([done(), done()]);
    let launch = Launch::at(&home(&agent, &[program("hangs", "hang"), program("demo", "")]));
    let server = Server::unix(launch.setting("turns.mcp_wait_milliseconds", 100));
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(failures(&told), [], "it is still starting");
    // What was not ready then comes with a later request.
    eventually("the tools of the other server are offered", || {
        agent.model.script([done()]);
        say(&mut client, &thread);
        ended(&mut client);
        let last = agent.model.requests().pop().expect("a request");
        last.tools().iter().any(|tool| tool == "mcp__demo__echo")
    });
}

#[test]
fn a_required_server_that_does_not_run_fails_the_turn() {
    let agent = Agent::new([]);
    let server = serve(&agent, &[program("demo", "die") + "required = true\n"]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let turn = client.next_notification("turn/completed")["turn"].take();
    let words = turn["error"]["message"].as_str().unwrap_or_default();
    assert!(words.contains("demo is required"), "{turn}");
}

#[test]
fn a_call_that_hangs_ends_with_its_time_and_one_that_kills_its_server_ends_at_once_and_the_next_works() {
    let tools = ["slow", "echo", "dies", "echo"];
    let agent = Agent::new(tools.into_iter().map(|tool| call(tool, json!({}))).chain([done()]));
    let slow = program("demo", "") + "tool_timeout_sec = 2\n";
    let server = serve(&agent, &[slow]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let told = told(&mut client);
    let errors: Vec<String> =
        completed(&told, "mcpToolCall").iter().map(|item| item["error"]["message"].to_string()).collect();
    assert!(errors[0].contains("timed out awaiting tools/call after 2s"), "{errors:?}");
    // The program still sleeps, so the next call of it waits in vain, too.
    assert!(errors[1].contains("timed out"), "{errors:?}");
    assert!(errors[2].contains("timed out"), "{errors:?}");

    let agent = Agent::new(["dies", "echo"].map(|tool| call(tool, json!({}))).into_iter().chain([done()]));
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let told = crate::support::agent::told(&mut client);
    let items = completed(&told, "mcpToolCall");
    let error = items[0]["error"]["message"].as_str().unwrap_or_default();
    assert!(error.contains("exit code 7") && error.contains("out of luck"), "{error}");
    assert_eq!(items[1]["status"], "completed", "{}", items[1]);
}

#[test]
fn an_interrupt_ends_a_call_at_once() {
    let agent = Agent::new([call("slow", json!({}))]);
    let server = serve(&agent, &[program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    let turn = say(&mut client, &thread);
    loop {
        if client.next_notification("item/started")["item"]["type"] == "mcpToolCall" {
            break;
        }
    }
    let asked = Instant::now();
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    let told = told(&mut client);
    assert_eq!(told.last().expect("the end")["params"]["turn"]["status"], "interrupted");
    assert_eq!(completed(&told, "mcpToolCall")[0]["error"]["message"], "aborted by user");
    assert!(asked.elapsed() < Duration::from_secs(30), "the call would have taken a minute");
}

#[test]
fn a_server_that_floods_is_slowed_and_others_go_on() {
    let agent = Agent::new([call("floods", json!({})), done()]);
    let server = serve(&agent, &[program("endless", "endless"), program("demo", "")]);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    let told = told(&mut client);
    assert!(failures(&told)[0].1.contains("a message of more than"), "{:?}", failures(&told));
    assert_eq!(completed(&told, "mcpToolCall")[0]["status"], "completed");
    assert!(agent.outputs(1)[0].ends_with("flooded"));
}

#[test]
fn a_server_inherits_what_its_configuration_says_and_no_key() {
    let key = secrets::used("k3y-of-a-model-provider");
    let agent = Agent::new([call("environment", json!({})), done()]);
    let config = program("demo", "") + "env_vars = [\"WANTED\"]\nenv.GIVEN = \"by the configuration\"\n";
    let launch =
        Launch::at(&home(&agent, &[config])).env("OPENAI_API_KEY", &key).env("WANTED", "yes").env("UNWANTED", "no");
    let server = Server::unix(launch);
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    ended(&mut client);
    let output = agent.outputs(1).remove(0);
    let has = |text: &str| output.lines().any(|line| line == text);
    assert!(has("WANTED=yes") && has("GIVEN=by the configuration"), "{output}");
    let cwd = agent.work.path().canonicalize().expect("a folder");
    assert!(has(&format!("CWD={}", cwd.display())), "{output}");
    assert!(!output.contains("UNWANTED") && !output.contains(&key), "{output}");
}

#[test]
fn nothing_of_a_server_is_left_after_its_thread_or_ours_has_ended() {
    let (first, second) = ("918273645.1", "918273645.2");
    let agent = Agent::new([done(), done()]);
    let launch = |marker: &str| Launch::at(&home(&agent, &[stubborn_program("demo", marker)]));
    let server = Server::unix(launch(first));
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    ended(&mut client);
    assert!(runs_somewhere(first), "the server and its child run");
    client.call("thread/archive", json!({"threadId": thread}));
    eventually("nothing is left after the thread was unloaded", || !runs_somewhere(first));

    let mut server = Server::unix(launch(second));
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    ended(&mut client);
    assert!(runs_somewhere(second));
    server.process.signal(Signal::TERM);
    server.process.wait();
    assert!(!runs_somewhere(second), "nothing is left when the server has ended");
}

#[test]
fn nothing_of_a_server_outlives_a_kill_of_ours() {
    let marker = "918273645.3";
    let agent = Agent::new([Reply::text("Done.")]);
    let mut server = Server::unix(Launch::at(&home(&agent, &[stubborn_program("demo", marker)])));
    let mut client = server.client();
    let thread = agent.thread(&mut client, never());
    say(&mut client, &thread);
    ended(&mut client);
    assert!(runs_somewhere(marker));
    server.process.kill();
    eventually("the launcher ends what it has started", || !runs_somewhere(marker));
}
