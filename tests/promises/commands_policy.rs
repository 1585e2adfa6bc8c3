//! What a command may do is decided by the user and the client: a project can make it less, never more.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A project that the user trusts, and a place outside of it.
struct Trusting {
    server: Server,
    client: Client,
    project: TempDir,
    outside: TempDir,
}

impl Trusting {
    fn with(config: &str) -> Self {
        let directory = |name: &str| tempfile::Builder::new().prefix(name).tempdir().expect("a directory");
        let (project, outside) = (directory("project"), directory("outside"));
        // What makes it one project, with all its folders.
        fs::create_dir_all(project.path().join(".git/refs")).expect("a directory");
        let trust = format!("{config}\n[projects.{:?}]\ntrust_level = 'trusted'\n", project.path());
        let server = Server::unix(Launch::at(&Home::with_config(&trust)));
        let client = server.client();
        Self { server, client, project, outside }
    }

    /// The project's own settings, in `folder` of it.
    fn says(&self, folder: &str, text: &str) {
        let folder = self.project.path().join(folder).join(".codex");
        fs::create_dir_all(&folder).expect("a directory");
        fs::write(folder.join("config.toml"), text).expect("it can be written");
    }

    /// Runs `script` by the rules in force, in `folder` of the project. A machine that cannot confine runs nothing.
    fn shell(&mut self, folder: &str, script: &str) {
        let cwd = self.project.path().join(folder);
        let params = json!({"command": ["sh", "-c", script], "cwd": cwd, "timeoutMs": 600_000});
        if let Err(refusal) = self.client.request("command/exec", params) {
            assert!(refusal.message.contains("was not run because it cannot be confined"), "{refusal:?}");
        }
    }

    /// Whether a command can write outside of the project, by the rules in force in `folder`.
    fn escapes(&mut self, folder: &str) -> bool {
        let file = self.outside.path().join("file");
        self.shell(folder, &format!("echo x > {}", file.display()));
        fs::remove_file(file).is_ok()
    }

    /// Waits for the warning that begins with `text`; the machine may be worth others.
    fn warned(&mut self, text: &str) {
        while !self.client.next_notification("configWarning")["summary"].as_str().expect("text").starts_with(text) {}
    }

    fn thread_sandbox(&mut self, folder: &str) -> Value {
        let cwd = self.project.path().join(folder);
        self.client.call("thread/start", json!({"cwd": cwd}))["sandbox"].clone()
    }
}

/// Only `/tmp` itself is taken out, in which all of this lies.
const WORKSPACE: &str = "sandbox_mode = 'workspace-write'\nsandbox_workspace_write = { exclude_slash_tmp = true, exclude_tmpdir_env_var = true }";

#[test]
fn a_project_cannot_loosen_its_own_rules() {
    let mut place = Trusting::with(WORKSPACE);
    fs::create_dir(place.project.path().join("sub")).expect("a directory");
    for (folder, text) in [
        ("", "sandbox_mode = 'danger-full-access'"),
        ("sub", "sandbox_mode = 'danger-full-access'\napproval_policy = 'never'"),
        ("sub", "default_permissions = ':danger-full-access'"),
        ("", "sandbox_workspace_write = { writable_roots = ['/tmp'] }"),
        ("", "sandbox_workspace_write.exclude_slash_tmp = false"),
    ] {
        place.says(folder, text);
        assert!(!place.escapes("sub"), "{text}");
        let sandbox = place.thread_sandbox("sub");
        assert_eq!(sandbox["type"], "workspaceWrite", "{text}");
        assert_eq!((&sandbox["writableRoots"], &sandbox["excludeSlashTmp"]), (&json!([]), &json!(true)), "{text}");
        place.warned("A project may tighten");
        fs::remove_dir_all(place.project.path().join(folder).join(".codex")).expect("it is removed");
    }
}

#[test]
fn a_project_can_tighten_them() {
    let mut place = Trusting::with(WORKSPACE);
    place.says("", "sandbox_mode = 'read-only'");
    assert_eq!(place.thread_sandbox("")["type"], "readOnly");
    if place.server.process.is_running() {
        place.shell("", "touch here");
        assert!(!place.project.path().join("here").exists());
    }
}

#[test]
fn a_command_cannot_write_the_rules_of_the_next_one() {
    let mut place = Trusting::with(WORKSPACE);
    for folder in ["sub/one", "two"] {
        fs::create_dir_all(place.project.path().join(folder)).expect("a directory");
        let script = "mkdir -p .codex; echo \"sandbox_mode = 'danger-full-access'\" > .codex/config.toml; true";
        place.shell(folder, script);
        assert!(!place.escapes(folder), "{folder}");
        assert!(!place.project.path().join(folder).join(".codex").exists(), "nothing is left of it");
    }
}
