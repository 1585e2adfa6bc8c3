//! Patches of the agent: what was shown is what is written, and nothing else.

use std::fs;

use serde_json::{Value, json};

use crate::support::agent::{Agent, PATCH_APPROVAL, completed, decide, ended, say, told};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::model::Reply;
use crate::support::transports::over_every_transport_with_commands;

/// A patch of these lines.
fn patch(lines: &[&str]) -> String {
    format!("*** Begin Patch\n{}\n*** End Patch\n", lines.join("\n"))
}

fn apply(lines: &[&str]) -> Reply {
    Reply::call("apply_patch", json!({"patch": patch(lines)}))
}

/// A thread whose commands and patches write in its folder.
fn writing_thread(agent: &Agent, client: &mut Client) -> String {
    agent.thread(client, json!({"approvalPolicy": "on-request", "sandbox": "workspace-write"}))
}

/// Whether commands can be confined on this machine. Where they cannot, every patch is asked about.
fn confines(client: &mut Client) -> bool {
    client.request("command/exec", json!({"command": ["true"], "sandboxPolicy": {"type": "readOnly"}})).is_ok()
}

/// The output of the last tool.
fn last_output(agent: &Agent) -> String {
    let requests = agent.model.requests();
    requests.last().expect("a question").outputs().pop().expect("an output")
}

#[test]
fn a_patch_inside_the_workspace_is_written_unasked_and_told() {
    over_every_transport_with_commands(|serving| {
        let agent = Agent::new([
            apply(&["*** Add File: new/a.txt", "+one", "*** Update File: u.txt", "@@", "-old", "+new"]),
            Reply::text("Done."),
        ]);
        agent.move_in(serving.codex_home());
        fs::write(agent.work.join("u.txt"), "old\n").expect("a file");
        let mut client = serving.client();
        if !confines(&mut client) {
            return;
        }
        let thread = writing_thread(&agent, &mut client);
        say(&mut client, &thread);
        let told = told(&mut client);
        assert!(!told.iter().any(|message| message["method"] == PATCH_APPROVAL), "{told:#?}");
        let [item] = completed(&told, "fileChange").try_into().expect("one patch");
        let place = |name: &str| agent.work.path().join(name);
        assert_eq!(item["status"], "completed");
        let changes = json!([
            {"path": place("new/a.txt"), "kind": {"type": "add"}, "diff": "one\n"},
            {"path": place("u.txt"), "kind": {"type": "update", "move_path": null}, "diff": "@@ -1 +1 @@\n-old\n+new\n"},
        ]);
        assert_eq!(item["changes"], changes);
        let read = |name: &str| fs::read_to_string(place(name)).expect("a file");
        assert_eq!((read("new/a.txt").as_str(), read("u.txt").as_str()), ("one\n", "new\n"));
        let diff = told.iter().find(|message| message["method"] == "turn/diff/updated").expect("a diff");
        let diff = diff["params"]["diff"].as_str().expect("a text");
        assert!(diff.contains("diff --git a/u.txt b/u.txt") && diff.contains("+new"), "{diff}");
        assert!(last_output(&agent).ends_with("Success. Updated the following files:\nA new/a.txt\nM u.txt\n"));
    });
}

/// Has an agent add a file outside of its workspace, and answers with `decision`: where, the item, what the model is told.
fn outside(decision: Value) -> (Home, Value, String) {
    let elsewhere = Home::new();
    let path = elsewhere.join("out.txt");
    let agent = Agent::new([apply(&[&format!("*** Add File: {}", path.display()), "+out"]), Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    // Temporary folders may be written by default.
    let policy = json!({"type": "workspaceWrite", "writableRoots": [], "networkAccess": false,
        "excludeTmpdirEnvVar": true, "excludeSlashTmp": true});
    let thread = writing_thread(&agent, &mut client);
    client.call("thread/settings/update", json!({"threadId": thread, "sandboxPolicy": policy}));
    say(&mut client, &thread);
    let request = client.next_notification_message(PATCH_APPROVAL);
    assert!(request["params"]["reason"].as_str().is_some_and(|it| it.contains("outside")), "{request}");
    assert!(!path.exists());
    decide(&mut client, &request, decision);
    let told = told(&mut client);
    let [item] = completed(&told, "fileChange").try_into().expect("one patch");
    assert_eq!(item["id"], request["params"]["itemId"]);
    (elsewhere, item, last_output(&agent))
}

#[test]
fn a_patch_outside_is_asked_about_and_an_accepted_one_is_written() {
    let (elsewhere, item, output) = outside(json!("accept"));
    assert_eq!((&item["status"], output.starts_with("Exit code: 0")), (&json!("completed"), true), "{output}");
    assert_eq!(fs::read_to_string(elsewhere.join("out.txt")).expect("a file"), "out\n");
    assert_eq!(elsewhere.everything().len(), 1, "nothing else was written");
}

#[test]
fn a_declined_patch_writes_nothing() {
    let (elsewhere, item, output) = outside(json!("decline"));
    assert_eq!((&item["status"], output.as_str()), (&json!("declined"), "patch rejected by user"));
    assert_eq!(elsewhere.everything(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_file_that_changed_while_a_person_read_its_patch_stays_as_it_is() {
    let agent = Agent::new([
        apply(&["*** Update File: u.txt", "@@", "-old", "+new", "*** Add File: a.txt", "+a"]),
        Reply::text("Done."),
    ]);
    fs::write(agent.work.join("u.txt"), "old\n").expect("a file");
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "untrusted", "sandbox": "workspace-write"}));
    say(&mut client, &thread);
    let request = client.next_notification_message(PATCH_APPROVAL);
    fs::write(agent.work.join("u.txt"), "old\nand mine\n").expect("a file");
    decide(&mut client, &request, json!("accept"));
    let told = told(&mut client);
    assert_eq!(completed(&told, "fileChange")[0]["status"], "failed");
    assert!(last_output(&agent).contains("u.txt"), "{}", last_output(&agent));
    assert_eq!(fs::read_to_string(agent.work.join("u.txt")).expect("a file"), "old\nand mine\n");
    assert!(!agent.work.join("a.txt").exists(), "all or nothing");
}

#[test]
fn protected_names_are_refused_and_a_patch_that_does_not_fit_is_no_item() {
    let names = [".git/hooks/pre-commit", ".codex/config.toml", "sub/.agents/x", ".GIT/config"];
    let add = |name: &&str| apply(&[&format!("*** Add File: {name}"), "+x"]);
    let replies =
        names.iter().map(add).chain([apply(&["*** Update File: absent.txt", "@@", "-a", "+b"]), Reply::text("Done.")]);
    let agent = Agent::new(replies);
    let server = agent.server();
    let mut client = server.client();
    let thread = writing_thread(&agent, &mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    assert_eq!(completed(&told, "fileChange"), Vec::<Value>::new());
    let outputs = agent.model.requests().last().expect("a question").outputs();
    assert!(outputs[..names.len()].iter().all(|output| output.contains("protected")), "{outputs:?}");
    assert!(outputs[names.len()].starts_with("apply_patch verification failed: "), "{outputs:?}");
    assert_eq!(agent.work.everything(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn for_the_session_means_the_same_files() {
    let change =
        |from: &str, to: &str| apply(&["*** Update File: u.txt", "@@", &format!("-{from}"), &format!("+{to}")]);
    let other = apply(&["*** Add File: b.txt", "+b"]);
    let agent = Agent::new([change("a", "b"), change("b", "c"), other, Reply::text("Done.")]);
    fs::write(agent.work.join("u.txt"), "a\n").expect("a file");
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "untrusted", "sandbox": "workspace-write"}));
    say(&mut client, &thread);
    let first = client.next_notification_message(PATCH_APPROVAL);
    decide(&mut client, &first, json!("acceptForSession"));
    let second = client.next_notification_message(PATCH_APPROVAL);
    assert_eq!(fs::read_to_string(agent.work.join("u.txt")).expect("a file"), "c\n");
    decide(&mut client, &second, json!("cancel"));
    assert_eq!(ended(&mut client), "interrupted");
    assert!(!agent.work.join("b.txt").exists());
}

#[test]
fn commands_find_a_program_for_patches() {
    let text = patch(&["*** Update File: u.txt", "@@", "-old", "+new"]);
    for script in [
        format!("apply_patch <<'EOF'\n{text}EOF"),
        format!("bash -lc \"apply_patch <<'EOF'\n{text}EOF\n\""),
        format!("mkdir -p sub && cd sub && cd .. && apply_patch '{text}'"),
    ] {
        for (login, sandbox) in
            [(true, "danger-full-access"), (false, "danger-full-access"), (false, "workspace-write")]
        {
            let command = json!({"cmd": script, "login": login});
            let agent = Agent::new([Reply::call("exec_command", command), Reply::text("Done.")]);
            fs::write(agent.work.join("u.txt"), "old\n").expect("a file");
            let server = agent.server();
            let mut client = server.client();
            if sandbox == "workspace-write" && !confines(&mut client) {
                continue;
            }
            let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": sandbox}));
            say(&mut client, &thread);
            assert_eq!(ended(&mut client), "completed");
            let output = last_output(&agent);
            assert!(output.contains("exited with code 0") && output.contains("M u.txt"), "{script}\n{output}");
            assert_eq!(fs::read_to_string(agent.work.join("u.txt")).expect("a file"), "new\n");
        }
    }
}
