//! Which paths a confined command may write is decided by what they name, and protected names cannot come into being.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use super::commands_attempts::Place;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;

/// Ways to make something of a protected name.
const MAKING: [&str; 8] = [
    "mkdir NAME",
    "echo x > NAME",
    "ln -s /tmp NAME",
    "mkdir other && mv other NAME",
    "mkdir other && mv -T other NAME",
    "touch other && ln other NAME",
    "mkfifo NAME",
    "mkdir -p NAME/hooks",
];

fn names_below(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("it can be listed").flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn protected_names_cannot_be_made(launch: Launch) {
    let mut place = Place::new(launch);
    if !place.confines() {
        return;
    }
    for name in [".git", ".codex", ".agents"] {
        for making in MAKING {
            let script = making.replace("NAME", name);
            let policy = place.workspace_write();
            let result = place.shell(&script, policy);
            assert_ne!(result["exitCode"], 0, "{script}");
            let policy = place.workspace_write();
            place.shell("rm -rf other", policy);
            assert_eq!(names_below(place.workspace.path()), ["victim"], "{script} leaves nothing");
        }
    }
}

#[test]
fn protected_names_cannot_come_into_being() {
    protected_names_cannot_be_made(Launch::new());
}

#[test]
fn nor_by_a_server_without_privileges() {
    protected_names_cannot_be_made(Launch::new().without_privileges());
}

#[test]
fn what_is_protected_can_neither_be_changed_nor_replaced() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    for name in [".git", ".codex", ".agents"] {
        fs::create_dir_all(place.workspace.path().join(name).join("hooks")).expect("a directory");
        for script in
            ["touch N/file", "touch N/hooks/file", "rm -r N", "mv N other", "rmdir N/hooks", "mkdir o && mv -T o N"]
        {
            let script = script.replace('N', name);
            let policy = place.workspace_write();
            assert_ne!(place.shell(&script, policy)["exitCode"], 0, "{script}");
        }
        assert_eq!(names_below(&place.workspace.path().join(name)), ["hooks"]);
    }
}

#[test]
fn a_project_is_protected_from_commands_that_run_around_it() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let project = place.workspace.path().join("deep/project");
    fs::create_dir_all(&project).expect("a directory");
    let policy = place.workspace_write();
    let params = place.exec(&["true"], policy, json!({"cwd": project}));
    place.client.call("command/exec", params);
    for script in
        ["mkdir deep/project/.git", "mkdir deep/project/.codex", "mv deep deeper", "mv deep/project deep/other"]
    {
        let policy = place.workspace_write();
        assert_ne!(place.shell(script, policy)["exitCode"], 0, "{script}");
    }
    assert_eq!(names_below(&project), Vec::<String>::new());
    let policy = place.workspace_write();
    assert_eq!(place.shell("touch deep/file deep/project/file", policy)["exitCode"], 0);
}

#[test]
fn commands_side_by_side_share_what_stands_in() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    // The first to end must not take away what the last one needs.
    let running: Vec<i64> = [0, 1, 2, 3]
        .map(|number| {
            let script = format!("sleep 0.{number}; mkdir .git && echo made");
            let params = place.exec(&["sh", "-c", &script], place.workspace_write(), json!({}));
            place.client.send_request("command/exec", params)
        })
        .into();
    for id in running {
        assert_eq!(place.client.answer_to(id).expect("it ended")["stdout"], "");
    }
    assert_eq!(names_below(place.workspace.path()), ["victim"]);
}

#[test]
fn a_killed_server_leaves_nothing_behind() {
    let home = Home::new();
    let mut place = Place::new(Launch::at(&home));
    if !place.confines() {
        return;
    }
    let params = place.exec(&["sleep", "600"], place.workspace_write(), json!({}));
    place.client.send_request("command/exec", params);
    let workspace = place.workspace.path().to_owned();
    eventually("the command is kept from making it", || workspace.join(".git").is_dir());
    place.server.process.kill();
    eventually("it is cleared away", || names_below(&workspace) == ["victim"]);
}

#[test]
fn what_killed_launchers_leave_behind_goes_with_the_next_start() {
    let home = Home::new();
    let mut place = Place::new(Launch::at(&home));
    if !place.confines() {
        return;
    }
    let params = place.exec(&["sleep", "600"], place.workspace_write(), json!({}));
    let running = place.client.send_request("command/exec", params);
    let workspace = place.workspace.path().to_owned();
    eventually("the command is kept from making it", || workspace.join(".git").is_dir());
    kill_children(place.server.process.id());
    // It may not even have begun.
    let _ = place.client.answer_to(running);
    assert!(workspace.join(".git").is_dir(), "nobody could clear it away");
    place.server.process.kill();
    let next = crate::support::server::Server::unix(Launch::at(&home));
    let _client = next.client();
    eventually("the next one clears it away", || names_below(&workspace) == ["victim"]);
}

/// Kills the launchers of a server.
fn kill_children(server: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1).map(str::to_owned));
        if parent.as_deref() == Some(&server.to_string())
            && let Some(pid) = Pid::from_raw(pid)
        {
            kill_process(pid, Signal::KILL).expect("it is ours");
        }
    }
}

#[test]
fn a_link_that_a_command_made_does_not_widen_the_next_one() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let (workspace, outside) = (place.workspace.path().to_owned(), place.outside.path().to_owned());
    fs::create_dir(workspace.join("pkg")).expect("a directory");
    let policy = place.workspace_write();
    let made = place.shell(&format!("mv pkg pkg.orig; ln -s {} pkg", outside.display()), policy);
    assert_eq!(made["exitCode"], 0);
    let refused = |place: &mut Place, policy: Value, cwd: &Path| {
        let params = place.exec(&["touch", "new"], policy, json!({"cwd": cwd}));
        place.client.refusal("command/exec", params).message
    };
    let policy = place.workspace_write();
    let message = refused(&mut place, policy, &workspace.join("pkg"));
    assert!(message.contains("a confined command can have made it"), "{message}");
    let mut policy = place.workspace_write();
    policy["writableRoots"] = json!([workspace.join("pkg")]);
    let message = refused(&mut place, policy, &workspace);
    assert!(message.contains("a confined command can have made it"), "{message}");
    place.assert_untouched("links");
    // By its own name it may be granted.
    let mut policy = place.workspace_write();
    policy["writableRoots"] = json!([outside]);
    assert_eq!(place.shell(&format!("touch {}/new", outside.display()), policy)["exitCode"], 0);
}

#[test]
fn nor_does_one_that_a_repository_brings() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let clone = place.workspace.path().join("clone");
    fs::create_dir_all(clone.join(".git/refs")).expect("a directory");
    symlink(place.outside.path(), clone.join("vendor")).expect("a link");
    let policy = place.workspace_write();
    let params = place.exec(&["touch", "new"], policy, json!({"cwd": clone.join("vendor")}));
    let refusal = place.client.refusal("command/exec", params);
    assert!(refusal.message.contains("a confined command can have made it"), "{refusal:?}");
    place.assert_untouched("a link in a repository");
}

#[test]
fn a_directory_that_is_exchanged_all_the_time_opens_nothing() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let (workspace, outside) = (place.workspace.path().to_owned(), place.outside.path().to_owned());
    let root = workspace.join("root");
    fs::create_dir(&root).expect("a directory");
    // A command could write here, and so could have started what goes on from now.
    let policy = place.workspace_write();
    place.shell("true", policy);
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                fs::rename(&root, workspace.join("aside")).expect("it is moved");
                symlink(&outside, &root).expect("a link");
                fs::remove_file(&root).expect("it is removed");
                fs::rename(workspace.join("aside"), &root).expect("it is moved back");
            }
        });
        let target = outside.join("new");
        for _ in 0..60 {
            let params =
                place.exec(&["touch", target.to_str().expect("text")], place.workspace_write(), json!({"cwd": root}));
            // Refused or not: it writes nothing there.
            let _ = place.client.request("command/exec", params);
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    place.assert_untouched("exchanging the root");
}
