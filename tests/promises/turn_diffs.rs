//! What a turn changes in a git work tree is told as one diff, whoever changed it: patches, commands, or both.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::model::{Gate, Reply};
use crate::support::server::Server;
use crate::support::transports::{over_every_transport_with_commands_and, with_settings};

const DIFF: &str = "turn/diff/updated";

/// No machine is so slow that git would not be waited for.
const PATIENCE: (&str, &str) = ("turns.changes_milliseconds", "300000");

/// What is on the command line of the program that observes work trees.
const OBSERVER: &str = "observe-work-tree";

fn run(command: &str) -> Reply {
    Reply::call("exec_command", json!({"cmd": command, "login": false}))
}

fn patch(lines: &[&str]) -> Reply {
    Reply::call("apply_patch", json!({"patch": format!("*** Begin Patch\n{}\n*** End Patch\n", lines.join("\n"))}))
}

fn done() -> Reply {
    Reply::text("Done.")
}

fn git(folder: &Path, words: &[&str]) {
    let mut git = Command::new("git");
    git.current_dir(folder).args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(words);
    assert!(git.status().expect("git").success(), "git {words:?}");
}

/// Makes the agent's folder a repository in which `a` is committed.
fn repository(agent: &Agent) {
    git(agent.work.path(), &["init", "-q"]);
    fs::write(agent.work.join("a"), "a\n").expect("a file");
    git(agent.work.path(), &["add", "-A"]);
    git(agent.work.path(), &["commit", "-q", "-m", "x"]);
}

/// An agent with these replies in a repository, and a server.
fn at_work(replies: impl IntoIterator<Item = Reply>) -> (Agent, Server) {
    let agent = Agent::new(replies);
    repository(&agent);
    let server = patient(&agent);
    (agent, server)
}

fn patient(agent: &Agent) -> Server {
    Server::unix(with_settings(agent.launch(), &[PATIENCE]))
}

/// Whether commands can be confined on this machine. Where they cannot, git is not run.
fn confines(client: &mut Client) -> bool {
    client.request("command/exec", json!({"command": ["true"], "sandboxPolicy": {"type": "readOnly"}})).is_ok()
}

/// The diffs among what was told.
fn diffs(told: &[Value]) -> Vec<String> {
    let diffs = told.iter().filter(|message| message["method"] == DIFF);
    diffs.map(|message| message["params"]["diff"].as_str().expect("a text").to_owned()).collect()
}

/// The diffs of a turn in a repository, and everything that was told. `None` where commands cannot be confined.
fn turn(replies: impl IntoIterator<Item = Reply>, prepare: impl Fn(&Path)) -> Option<(Vec<String>, Vec<Value>)> {
    let (agent, server) = at_work(replies);
    prepare(agent.work.path());
    let mut client = server.client();
    if !confines(&mut client) {
        return None;
    }
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    Some((diffs(&told), told))
}

#[test]
fn what_a_command_changes_is_told_before_the_end_of_its_turn() {
    over_every_transport_with_commands_and(&[PATIENCE], |serving| {
        let agent = Agent::new([run("echo new > a; echo b > b"), done()]);
        agent.move_in(serving.codex_home());
        repository(&agent);
        let mut client = serving.client();
        if !confines(&mut client) {
            return;
        }
        for sandbox in ["workspace-write", "danger-full-access"] {
            let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": sandbox}));
            let id = say(&mut client, &thread);
            let told = told(&mut client);
            let at = |method: &str| told.iter().position(|message| message["method"] == method);
            assert!(at("item/started") < at(DIFF) && at(DIFF) < at("turn/completed"), "{told:#?}");
            let told = told.iter().rfind(|message| message["method"] == DIFF).expect("a diff");
            assert_eq!((&told["params"]["threadId"], &told["params"]["turnId"]), (&json!(thread), &json!(id)));
            let expected = "\
diff --git a/a b/a
index 78981922613b2afb6025042ff6bd878ac1994e85..3e757656cf36eca53338e520d134963a44f793f8 100644
--- a/a
+++ b/a
@@ -1 +1 @@
-a
+new
diff --git a/b b/b
new file mode 100644
index 0000000000000000000000000000000000000000..61780798228d17af2d34fce4cfbdf35556832472
--- /dev/null
+++ b/b
@@ -0,0 +1 @@
+b
";
            assert_eq!(told["params"]["diff"], expected);
            git(agent.work.path(), &["reset", "-q", "--hard"]);
            fs::remove_file(agent.work.join("b")).expect("the file");
            agent.model.script([run("echo new > a; echo b > b"), done()]);
        }
    });
}

#[test]
fn patches_and_commands_count_together_and_what_is_undone_does_not() {
    let there = patch(&["*** Update File: a", "@@", "-a", "+patched"]);
    let replies = [there, run("echo more >> a"), run("git checkout -q a"), done()];
    let Some((diffs, _)) = turn(replies, |_| ()) else { return };
    assert!(diffs.len() >= 2, "{diffs:?}");
    assert!(diffs[0].contains("-a\n+patched\n"), "{diffs:?}");
    assert_eq!(diffs.last().expect("a diff"), "", "{diffs:?}");
    assert!(diffs.iter().all(|diff| diff.matches("diff --git").count() <= 1), "nothing counts twice: {diffs:?}");
}

#[test]
fn what_was_changed_before_the_turn_does_not_count() {
    let prepare = |work: &Path| {
        fs::write(work.join("a"), "mine\n").expect("a file");
        fs::write(work.join("unknown"), "mine\n").expect("a file");
        fs::write(work.join(".gitignore"), "ignored\n").expect("a file");
    };
    let command = "echo theirs >> a; echo x > ignored";
    let Some((diffs, _)) = turn([run(command), done()], prepare) else { return };
    let [diff] = diffs.try_into().expect("one diff");
    assert!(diff.ends_with("@@ -1 +1,2 @@\n mine\n+theirs\n"), "{diff}");
    assert_eq!(diff.matches("diff --git").count(), 1, "{diff}");
    // Known to be harmless, so nobody looks.
    let Some((diffs, _)) = turn([run("cat a"), run("cat unknown"), done()], prepare) else { return };
    assert_eq!(diffs, Vec::<String>::new());
}

#[test]
fn names_are_relative_to_the_root_and_what_is_outside_of_it_is_told_too() {
    let elsewhere = Home::new();
    let outside = elsewhere.join("out");
    let add = patch(&[&format!("*** Add File: {}", outside.display()), "+out", "*** Add File: b", "+b"]);
    let agent = Agent::new([run("echo c > ../c"), add, done()]);
    repository(&agent);
    fs::create_dir(agent.work.join("sub")).expect("a folder");
    let server = patient(&agent);
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let params = json!({"approvalPolicy": "never", "sandbox": "danger-full-access", "cwd": agent.work.join("sub")});
    let thread = client.call("thread/start", params)["thread"]["id"].as_str().expect("an id").to_owned();
    say(&mut client, &thread);
    let diff = diffs(&told(&mut client)).pop().expect("a diff");
    let names: Vec<&str> = diff.lines().filter_map(|line| line.strip_prefix("+++ b/")).collect();
    let outside = outside.strip_prefix("/").expect("a root").to_str().expect("a text");
    assert_eq!(names, ["c", "sub/b", outside], "{diff}");
}

#[test]
fn calls_beside_each_other_are_told_together() {
    let command = |name: &str, other: &str| json!({"cmd": format!("echo x > {name}; until [ -e {other} ]; do sleep 0.01; done; echo y >> {name}"), "login": false});
    let both = Reply::call("exec_command", command("b", "c")).and_call("exec_command", command("c", "b"));
    let Some((diffs, _)) = turn([both, done()], |_| ()) else { return };
    let diff = diffs.last().expect("a diff");
    assert!(
        diff.contains("b/b\n@@ -0,0 +1,2 @@\n+x\n+y\n") && diff.contains("b/c\n@@ -0,0 +1,2 @@\n+x\n+y\n"),
        "{diff}"
    );
}

#[test]
fn an_interrupted_command_and_one_that_goes_on_are_told() {
    let (agent, server) = at_work([run("echo x > b; echo begun; sleep 100")]);
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let thread = agent.free_thread(&mut client);
    let id = say(&mut client, &thread);
    client.next_notification("item/commandExecution/outputDelta");
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": id}));
    let told_to_the_end = told(&mut client);
    assert_eq!(told_to_the_end.last().expect("an end")["params"]["turn"]["status"], "interrupted");
    let diff = diffs(&told_to_the_end).pop().expect("a diff");
    assert!(diff.contains("+++ b/b\n"), "{diff}");

    let goes_on = json!({"cmd": "read line; echo y > c", "login": false, "tty": true, "yield_time_ms": 250});
    agent.model.script([Reply::call("exec_command", goes_on), done()]);
    say(&mut client, &thread);
    let waits = told(&mut client);
    assert_eq!(diffs(&waits), Vec::<String>::new());
    let mut started = waits.iter().filter(|message| message["method"] == "item/started");
    let session = started.find_map(|message| message["params"]["item"]["processId"].as_str()).expect("a command");
    // Typed into in a later turn, whose change it is.
    let session: u64 = session.parse().expect("a number");
    let typed = json!({"session_id": session, "chars": "go\n", "yield_time_ms": 30_000});
    agent.model.script([Reply::call("write_stdin", typed), done()]);
    say(&mut client, &thread);
    let diff = diffs(&told(&mut client)).pop().expect("a diff");
    assert!(diff.contains("+++ b/c\n") && !diff.contains("b/b\n"), "{diff}");
}

#[test]
fn a_command_that_goes_on_is_looked_at_when_its_turn_ends() {
    let gate = Gate::new();
    let goes_on = json!({"cmd": "until [ -e go ]; do sleep 0.01; done; echo x > b; touch made; sleep 100", "login": false,
        "yield_time_ms": 250});
    let (agent, server) = at_work([Reply::call("exec_command", goes_on), done().and_pause(&gate)]);
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    gate.wait();
    fs::write(agent.work.join("go"), "").expect("a file");
    eventually("the command goes on", || agent.work.join("made").exists());
    gate.open();
    let diff = diffs(&told(&mut client)).pop().expect("a diff");
    assert!(diff.contains("+++ b/b\n"), "{diff}");
}

#[test]
fn what_a_hostile_repository_has_git_run_can_write_nowhere() {
    let elsewhere = Home::new();
    let prepare = |work: &Path| {
        let marks: Vec<String> = [work, elsewhere.path(), Path::new("/tmp")]
            .iter()
            .map(|it| it.join("diff-mark").display().to_string())
            .collect();
        let filter = format!("for mark in {}; do echo x > $mark; done; tr a-z A-Z", marks.join(" "));
        git(work, &["config", "filter.x.clean", &filter]);
        git(work, &["config", "core.fsmonitor", &filter]);
        fs::write(work.join(".gitattributes"), "b filter=x\n").expect("a file");
    };
    let Some((diffs, told)) = turn([run("echo text > b"), done()], prepare) else { return };
    let [item] = completed(&told, "commandExecution").try_into().expect("one command");
    assert_eq!(item["exitCode"], 0);
    assert!(diffs.last().expect("a diff").ends_with("+TEXT\n"), "the filter ran: {diffs:?}");
    assert_eq!(elsewhere.everything(), Vec::<std::path::PathBuf>::new());
    assert!(!Path::new("/tmp/diff-mark").exists());
}

/// A folder with this program in place of git, and what it needs.
fn programs(git: &str) -> Home {
    let programs = Home::new();
    fs::write(programs.join("git"), git).expect("a program");
    fs::set_permissions(programs.join("git"), Permissions::from_mode(0o755)).expect("it runs");
    for name in ["sh", "sleep"] {
        let found = ["/bin", "/usr/bin"].iter().map(|it| Path::new(it).join(name)).find(|it| it.exists());
        symlink(found.expect("a program"), programs.join(name)).expect("a link");
    }
    programs
}

#[test]
fn without_the_help_of_git_patches_are_told_and_nothing_fails() {
    let nonsense = "#!/bin/sh\necho nonsense\n";
    for (git, milliseconds) in
        [(None, "0"), (Some(""), "5000"), (Some(nonsense), "5000"), (Some("#!/bin/sh\nsleep 1000\n"), "300")]
    {
        let agent = Agent::new([run("echo b > b"), patch(&["*** Update File: a", "@@", "-a", "+new"]), done()]);
        repository(&agent);
        let programs = git.map(programs);
        let launch = agent.launch().setting("turns.changes_milliseconds", milliseconds);
        let server = Server::unix(match &programs {
            Some(programs) => launch.env("PATH", programs.path().to_str().expect("a text")),
            None => launch,
        });
        let mut client = server.client();
        if !confines(&mut client) {
            return;
        }
        let thread = agent.free_thread(&mut client);
        say(&mut client, &thread);
        let told = told(&mut client);
        assert_eq!(told.last().expect("an end")["params"]["turn"]["status"], "completed");
        let [diff] = diffs(&told).try_into().expect("one diff");
        assert!(diff.contains("-a\n+new\n") && !diff.contains("b/b"), "{git:?}: {diff}");
        eventually("nobody looks any more", || observers_in(agent.work.path()).is_empty());
    }
}

#[test]
fn an_interrupt_does_not_wait_for_git() {
    let agent = Agent::new([run("echo b > b")]);
    repository(&agent);
    let programs = programs("#!/bin/sh\nsleep 1000\n");
    let launch = with_settings(agent.launch(), &[PATIENCE]);
    let server = Server::unix(launch.env("PATH", programs.path().to_str().expect("a text")));
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let thread = agent.free_thread(&mut client);
    let id = say(&mut client, &thread);
    eventually("somebody looks", || !observers_in(agent.work.path()).is_empty());
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": id}));
    assert_eq!(ended(&mut client), "interrupted");
    eventually("nobody looks any more", || observers_in(agent.work.path()).is_empty());
}

#[test]
fn a_killed_server_leaves_nothing_of_it() {
    let (agent, mut server) = at_work([run("echo b > b; echo begun; sleep 100")]);
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let before: Vec<_> = agent.work.everything();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    client.next_notification("item/commandExecution/outputDelta");
    let observers = || observers_in(agent.work.path());
    assert!(!observers().is_empty(), "somebody looks");
    server.process.signal(Signal::KILL);
    server.process.wait();
    eventually("nobody looks any more", || observers().is_empty());
    fs::remove_file(agent.work.join("b")).expect("what the command has made");
    assert_eq!(agent.work.everything(), before);
}

/// The processes that observe this work tree.
fn observers_in(work: &Path) -> Vec<String> {
    let work = work.canonicalize().expect("a folder");
    let entries = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let observes = |process: &Path| {
        let command = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        command.contains(OBSERVER) && fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == work)
    };
    entries.filter(|process| observes(process)).map(|it| it.display().to_string()).collect()
}

#[test]
fn the_program_ends_with_its_turn() {
    let (agent, server) = at_work([run("echo b > b"), done()]);
    let mut client = server.client();
    if !confines(&mut client) {
        return;
    }
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    eventually("nobody looks any more", || observers_in(agent.work.path()).is_empty());
}
