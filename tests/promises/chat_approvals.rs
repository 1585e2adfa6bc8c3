//! `chat` and what the agent does: a person sees it, and decides at the terminal what needs a decision.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::agent::{Agent, COMMAND_APPROVAL, PATCH_APPROVAL, decide, ended, say};
use crate::support::home::Home;
use crate::support::model::Reply;
use crate::support::process::{Collected, Launch};
use crate::support::server::Server;
use crate::support::terminal::AtTerminal;

/// A server whose agent asks before it deletes, and a folder with the file `victim`.
struct Place {
    server: Server,
    work: Home,
}

impl Place {
    fn new() -> Self {
        let config =
            "model_provider = \"echo\"\napproval_policy = \"on-request\"\nsandbox_mode = \"workspace-write\"\n";
        let work = Home::new();
        fs::write(work.join("victim"), "").expect("a file");
        Self { server: Server::unix(Launch::at(&Home::with_config(config))), work }
    }

    fn chat(&self, words: &str) -> Launch {
        Launch::at(self.server.process.home()).in_directory(self.work.path()).args(&["chat", words])
    }

    fn at_terminal(&self, words: &str) -> AtTerminal {
        AtTerminal::run(self.chat(words))
    }

    fn victim_is_there(&self) -> bool {
        self.work.join("victim").exists()
    }
}

/// The last thread of the server, for another client.
fn last_thread(server: &Server) -> (crate::support::client::Client, Value) {
    let mut client = server.client();
    let thread = client.call("thread/list", json!({}))["data"][0]["id"].take();
    client.call("thread/resume", json!({"threadId": thread}));
    (client, thread)
}

#[test]
fn a_person_sees_the_whole_command_and_only_a_clear_answer_counts() {
    let place = Place::new();
    let long = "%".repeat(200);
    let words = format!("run: rm -rf victim && echo gone \u{1b}[2J{long}; exit 3");
    let mut terminal = place.at_terminal(&words);
    let question = terminal.sees("Run it? [");
    assert!(question.contains("  | rm -rf victim && echo gone \\u{1b}[2J%"), "{question}");
    let in_margin =
        |text: &str| text.lines().filter(|line| line.starts_with("  | ")).map(str::to_owned).collect::<String>();
    assert_eq!(in_margin(&question).matches('%').count(), long.len(), "{question}");
    let widths = question.lines().filter(|line| line.starts_with("  | ")).map(|line| line.chars().count());
    assert!(widths.clone().count() > 2 && widths.max() < Some(81), "{question}");
    let here = place.work.path().canonicalize().expect("it is there");
    assert!(question.contains(&format!("In:    {}", here.display())), "{question}");
    assert!(question.contains("Where: "), "{question}");
    for unclear in ["", "maybe", "\u{1b}[c"] {
        terminal.types(unclear);
        terminal.sees("Run it? [");
        assert!(place.victim_is_there());
    }
    terminal.types("y");
    let rest = terminal.sees("exit code 3");
    assert!(rest.contains("\n  gone"), "{rest}");
    terminal.sees("Go on with: codex-app-server chat --thread ");
    assert!(!place.victim_is_there());
    assert_eq!(terminal.process.exit_code(), 0);
}

#[test]
fn what_was_typed_before_the_question_is_no_answer() {
    let place = Place::new();
    let mut terminal = place.at_terminal("slow: 20\nsome words before it\nrun: rm -rf victim");
    terminal.sees("some ");
    terminal.types("y");
    terminal.sees("Run it? [");
    terminal.types("n");
    terminal.sees("not run");
    terminal.sees("Go on with");
    assert!(place.victim_is_there());
}

#[test]
fn an_answer_from_elsewhere_withdraws_the_question() {
    let place = Place::new();
    let mut terminal = place.at_terminal("run: rm -rf victim");
    terminal.sees("Run it? [");
    let (mut client, _) = last_thread(&place.server);
    let request = client.next_notification_message(COMMAND_APPROVAL);
    decide(&mut client, &request, json!("decline"));
    terminal.sees("(no longer asked");
    terminal.sees("not run");
    terminal.sees("Go on with");
    assert!(place.victim_is_there());
}

#[test]
fn a_signal_while_it_asks_interrupts_the_turn() {
    let place = Place::new();
    let mut terminal = place.at_terminal("run: rm -rf victim");
    terminal.sees("Run it? [");
    terminal.process.signal(Signal::INT);
    terminal.sees("Go on with");
    assert_eq!(terminal.process.exit_code(), 1);
    assert_eq!(terminal.process.stderr.all(), "Error: the answer was interrupted\n");
    assert!(place.victim_is_there());
}

#[test]
fn without_a_terminal_it_says_that_somebody_must_decide_and_decides_nothing() {
    use std::io::Write;
    for json in [true, false] {
        let place = Place::new();
        let launch = place.chat("run: rm -rf victim");
        let mut process = if json { launch.arg("--json") } else { launch }.spawn();
        let shown = Collected::of(process.stdout.take().expect("a pipe"));
        process.stdin.as_mut().expect("a pipe").write_all(b"y\ny\n").expect("it may read");
        process.stderr.wait_for("the notice", |text| text.contains("waits for an answer").then_some(()));
        let (mut client, thread) = last_thread(&place.server);
        let request = client.next_notification_message(COMMAND_APPROVAL);
        assert!(process.stderr.text().contains(thread.as_str().expect("an id")));
        assert!(place.victim_is_there());
        decide(&mut client, &request, json!("decline"));
        assert_eq!(process.exit_code(), 0);
        assert!(place.victim_is_there());
        let asks = |line: &str| line.contains(COMMAND_APPROVAL) && line.contains("rm -rf victim");
        assert_eq!(shown.all().lines().any(asks), json, "the request is printed as it is");
    }
}

#[test]
fn a_patch_is_shown_file_by_file_before_it_is_written() {
    let added = (0..50).map(|n| format!("+line {n}\n")).collect::<String>();
    let text = format!(
        "*** Begin Patch\n*** Update File: u.txt\n@@\n-old\n+new\u{1b}[2J\n*** Add File: a.txt\n{added}*** End Patch\n"
    );
    let agent = Agent::new([Reply::call("apply_patch", json!({"patch": text})), Reply::text("Done.")]);
    let home = agent.model.home(crate::support::model::Wire::Responses);
    fs::write(home.join("u.txt"), "old\n").expect("a file");
    let server = Server::unix(Launch::at(&home));
    let launch = Launch::at(&home).args(&["-c", "approval_policy=untrusted", "chat", "go"]);
    let mut terminal = AtTerminal::run(launch);
    let question = terminal.sees("Change them? [");
    for part in ["  change  /", "  add     /", "  | -old\n", "  | +new\\u{1b}[2J\n", "more lines; type v to see all"] {
        assert!(question.contains(part), "{part:?} is not in {question}");
    }
    assert!(question.lines().count() < 24 && !question.contains("line 49"), "{question}");
    terminal.types("v");
    assert!(terminal.sees("Change them? [").contains("  | +line 49\n"));
    terminal.types("y");
    let rest = terminal.sees("Done.");
    assert!(rest.contains("changed u.txt\nadded a.txt\n"), "{rest}");
    assert_eq!(fs::read_to_string(home.join("a.txt")).expect("a file").lines().count(), 50);
    drop(server);
}

#[test]
fn nothing_is_shown_below_a_question_before_its_answer() {
    let ask = json!({"cmd": "touch a.txt", "login": false, "sandbox_permissions": "require_escalated"});
    let beside = json!({"cmd": "until [ -e go ]; do sleep 0.01; done; echo Run it'?' [beside]", "login": false});
    let agent = Agent::new([Reply::call("exec_command", ask).and_call("exec_command", beside), Reply::text("Done.")]);
    let server = agent.server();
    let launch = Launch::at(server.process.home()).in_directory(agent.work.path());
    let config = ["-c", "approval_policy=on-request", "-c", "sandbox_mode=workspace-write"];
    let mut terminal = AtTerminal::run(launch.args(&config).args(&["chat", "go"]));
    assert!(terminal.sees("Run it? [").contains("Where: OUTSIDE the sandbox"));
    let (mut client, _) = last_thread(&server);
    fs::write(agent.work.join("go"), "").expect("a file");
    while client.next_notification("item/completed")["item"]["type"] != "commandExecution" {}
    terminal.types("maybe");
    terminal.sees("Run it? [y");
    terminal.types("n");
    terminal.sees("  Run it? [beside]");
    terminal.sees("not run");
    terminal.sees("Done.");
}

#[test]
fn who_joins_at_a_terminal_is_asked_and_shown_the_patch() {
    let text = "*** Begin Patch\n*** Add File: a.txt\n+hello\n*** End Patch\n";
    let agent = Agent::new([Reply::call("apply_patch", json!({"patch": text})), Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "untrusted", "sandbox": "workspace-write"}));
    say(&mut client, &thread);
    client.next_notification_message(PATCH_APPROVAL);
    let mut terminal = AtTerminal::run(Launch::at(server.process.home()).args(&["chat", "--thread", &thread]));
    assert!(terminal.sees("Change them? [").contains("  | +hello\n"));
    terminal.types("y");
    terminal.sees("added a.txt");
    terminal.sees("Done.");
    assert_eq!(ended(&mut client), "completed");
    terminal.sees("> ");
    terminal.types("\u{4}");
    terminal.sees("Go on with");
}

#[test]
fn permissions_are_shown_folder_by_folder_and_granted_as_shown() {
    let out = Home::new();
    let permissions = json!({"file_system": {"write": [out.path()]}, "network": {"enabled": true}});
    let reason = "for\u{1b}[2J the result";
    let write = json!({"cmd": format!("echo x > {}", out.join("a").display()), "login": false});
    let agent = Agent::new([
        Reply::call("request_permissions", json!({"reason": reason, "permissions": permissions})),
        Reply::call("exec_command", write),
        Reply::text("Done."),
    ]);
    let server = agent.server();
    let launch = Launch::at(server.process.home()).in_directory(agent.work.path());
    let config = ["-c", "approval_policy=on-request", "-c", "sandbox_mode=read-only"];
    let mut terminal = AtTerminal::run(launch.args(&config).args(&["chat", "go"]));
    let question = terminal.sees("Allow it? [y/a/n] ");
    let folder = out.path().canonicalize().expect("a folder");
    for part in [&format!("write below: {}\n", folder.display()), "use the network\n", "for\\u{1b}[2J the result"] {
        assert!(question.contains(part), "{part:?} is not in {question}");
    }
    terminal.types("whatever");
    terminal.sees("Allow it? [y/a/n] ");
    assert!(!out.join("a").exists());
    terminal.types("y");
    terminal.sees("Done.");
    assert!(out.join("a").exists());
}

#[test]
fn questions_of_a_plan_are_asked_one_after_the_other() {
    let question = |id: &str, text: &str| {
        json!({"id": id, "header": "h", "question": text,
            "options": [{"label": "Red", "description": "r"}, {"label": "Blue", "description": "b"}]})
    };
    let questions = json!({"questions": [question("wall", "Which wall?"), question("door", "Which door?")]});
    let agent = Agent::new([Reply::call("request_user_input", questions), Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let mode =
        json!({"mode": "plan", "settings": {"model": "m", "reasoning_effort": null, "developer_instructions": null}});
    client.call("thread/settings/update", json!({"threadId": thread, "collaborationMode": mode}));
    say(&mut client, &thread);
    client.next_notification_message("item/tool/requestUserInput");
    let mut terminal = AtTerminal::run(Launch::at(server.process.home()).args(&["chat", "--thread", &thread]));
    let first = terminal.sees("Your answer: ");
    assert!(first.contains("(1 of 2): Which wall?") && first.contains("2  Blue: b"), "{first}");
    terminal.types("");
    terminal.sees("Your answer: ");
    terminal.types("2");
    let second = terminal.sees("Your answer: ");
    assert!(second.contains("(2 of 2): Which door?"), "{second}");
    terminal.types("a green one");
    terminal.sees("Done.");
    let told: Value = serde_json::from_str(&agent.outputs(1)[0]).expect("JSON");
    assert_eq!(told["answers"]["wall"]["answers"], json!(["Blue"]));
    assert_eq!(told["answers"]["door"]["answers"], json!(["a green one"]));
}
