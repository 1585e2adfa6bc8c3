//! Permissions beyond the sandbox: the agent asks for a folder or the network once, a person grants all or a part of it, and
//! it holds for the turn or for the thread.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::model::Reply;
use crate::support::transports::over_every_transport_with_commands;

const APPROVAL: &str = "item/permissions/requestApproval";

/// Answers a request in some way.
type Answer<'a> = &'a dyn Fn(&mut Client, &Value);

fn ask_for(folders: &[&Path]) -> Reply {
    let permissions = json!({"file_system": {"write": folders}});
    Reply::call("request_permissions", json!({"reason": "for the result", "permissions": permissions}))
}

fn write_into(folder: &Path, name: &str) -> Reply {
    let script = format!("echo x > {}", folder.join(name).display());
    Reply::call("exec_command", json!({"cmd": script, "login": false}))
}

fn grant(client: &mut Client, request: &Value, permissions: &Value, scope: &str) {
    let result = json!({"permissions": permissions, "scope": scope});
    client.send_raw(&json!({"id": request["id"], "result": result}).to_string());
}

/// A thread whose commands only read.
fn reading_thread(agent: &Agent, client: &mut Client, approval: &str) -> String {
    agent.thread(client, json!({"approvalPolicy": approval, "sandbox": "read-only"}))
}

#[test]
fn what_is_granted_for_a_turn_holds_for_commands_and_patches_until_it_ends() {
    over_every_transport_with_commands(|serving| {
        let out = Home::new();
        let patch = format!("*** Begin Patch\n*** Add File: {}\n+x\n*** End Patch", out.join("b").display());
        let agent = Agent::new([
            ask_for(&[out.path()]),
            write_into(out.path(), "a"),
            Reply::call("apply_patch", json!({ "patch": patch })),
            write_into(serving.codex_home(), "not_here"),
            Reply::text("Done."),
            write_into(out.path(), "c"),
            Reply::text("Done."),
        ]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = reading_thread(&agent, &mut client, "on-request");
        say(&mut client, &thread);
        let request = client.next_notification_message(APPROVAL);
        let real = out.path().canonicalize().expect("a folder");
        let asked = &request["params"];
        assert_eq!(asked["permissions"]["fileSystem"]["write"], json!([real]));
        assert_eq!((&asked["reason"], &asked["threadId"]), (&json!("for the result"), &json!(thread)));
        grant(&mut client, &request, &asked["permissions"], "turn");
        let seen = told(&mut client);
        assert!(out.join("a").exists() && out.join("b").exists() && !serving.codex_home().join("not_here").exists());
        assert!(seen.iter().any(|message| message["method"] == "serverRequest/resolved"));
        assert_eq!(agent.outputs(1).len(), 1);
        assert!(agent.outputs(1)[0].contains(r#""scope":"turn""#), "{:?}", agent.outputs(1));

        say(&mut client, &thread);
        assert_eq!(completed(&told(&mut client), "commandExecution")[0]["status"], "failed");
        assert!(!out.join("c").exists(), "the turn has ended, and the permission with it");
    });
}

#[test]
fn what_is_granted_for_the_session_holds_in_this_thread_only() {
    let out = Home::new();
    let agent = Agent::new([
        ask_for(&[out.path()]),
        Reply::text("Granted."),
        write_into(out.path(), "a"),
        Reply::text("Done."),
        write_into(out.path(), "b"),
        Reply::text("Done."),
    ]);
    let server = agent.server();
    let mut client = server.client();
    let thread = reading_thread(&agent, &mut client, "on-request");
    say(&mut client, &thread);
    let request = client.next_notification_message(APPROVAL);
    grant(&mut client, &request, &request["params"]["permissions"], "session");
    assert_eq!(ended(&mut client), "completed");
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    assert!(out.join("a").exists());
    let other = reading_thread(&agent, &mut client, "on-request");
    say(&mut client, &other);
    assert_eq!(ended(&mut client), "completed");
    assert!(!out.join("b").exists());
}

#[test]
fn a_person_grants_a_part_and_nothing_beyond_what_was_asked_for_counts() {
    let (first, second, third) = (Home::new(), Home::new(), Home::new());
    let agent = Agent::new([
        ask_for(&[first.path(), second.path()]),
        write_into(first.path(), "a"),
        write_into(second.path(), "a"),
        write_into(third.path(), "a"),
        Reply::text("Done."),
    ]);
    let server = agent.server();
    let mut client = server.client();
    let thread = reading_thread(&agent, &mut client, "on-request");
    say(&mut client, &thread);
    let request = client.next_notification_message(APPROVAL);
    let wider = json!({"network": {"enabled": true}, "fileSystem": {"write": [first.path(), third.path(), "/"]}});
    grant(&mut client, &request, &wider, "turn");
    told(&mut client);
    let written = [&first, &second, &third].map(|folder| folder.join("a").exists());
    assert_eq!(written, [true, false, false]);
    let told = &agent.outputs(1)[0];
    assert!(!told.contains(r#""enabled":true"#) && !told.contains(r#""/""#), "{told}");
}

#[test]
fn who_says_no_errs_or_is_not_asked_grants_nothing_and_the_model_is_told() {
    let out = Home::new();
    let no = |client: &mut Client, request: &Value| grant(client, request, &json!({}), "turn");
    let error = |client: &mut Client, request: &Value| {
        client.send_raw(&json!({"id": request["id"], "error": {"code": -32000, "message": "no"}}).to_string());
    };
    let nonsense = |client: &mut Client, request: &Value| {
        client.send_raw(&json!({"id": request["id"], "result": {"decision": "accept"}}).to_string());
    };
    let answers: [(Answer<'_>, &str); 3] =
        [(&no, "did not grant"), (&error, "request failed"), (&nonsense, "request failed")];
    for (answer, words) in answers {
        let agent = Agent::new([ask_for(&[out.path()]), write_into(out.path(), "a"), Reply::text("Done.")]);
        let server = agent.server();
        let mut client = server.client();
        let thread = reading_thread(&agent, &mut client, "on-request");
        say(&mut client, &thread);
        let request = client.next_notification_message(APPROVAL);
        answer(&mut client, &request);
        told(&mut client);
        assert!(agent.outputs(1)[0].contains(words), "{:?}", agent.outputs(1));
        assert!(!out.join("a").exists());
    }
    let agent = Agent::new([ask_for(&[out.path()]), Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = reading_thread(&agent, &mut client, "never");
    say(&mut client, &thread);
    told(&mut client);
    assert!(agent.outputs(1)[0].starts_with("not asked: "), "{:?}", agent.outputs(1));
    let offered = agent.model.requests()[0].tools();
    assert!(!offered.contains(&"request_permissions".to_owned()), "{offered:?}");
}

#[test]
fn what_must_not_or_cannot_be_granted_is_not_even_asked() {
    let agent = Agent::new([]);
    let git = agent.work.join(".git");
    std::fs::create_dir(&git).expect("a folder");
    std::fs::write(agent.work.join("file"), "").expect("a file");
    std::os::unix::fs::symlink(&git, agent.work.join("innocent")).expect("a link");
    let names = [".git", "innocent", "file", "missing", ".git/../.git"];
    let many = vec![agent.work.path(); 33];
    agent.model.script(names.iter().map(|name| ask_for(&[Path::new(name)])));
    agent.model.script([ask_for(&many), ask_for(&[]), Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "on-request", "sandbox": "workspace-write"}));
    say(&mut client, &thread);
    let seen = told(&mut client);
    assert!(seen.iter().all(|message| message["method"] != APPROVAL));
    let outputs = agent.outputs(7);
    let words = ["protected", "protected", "no folder", "no folder", "protected", "at most 32", "name a folder"];
    for (output, words) in outputs.iter().zip(words) {
        assert!(output.starts_with("not asked: ") && output.contains(words), "{outputs:#?}");
    }
}
