//! A confined command does not get back to a server, and does not see what servers keep secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::commands_attempts::Place;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

const NETWORKED: &str = r#"{"type": "workspaceWrite", "networkAccess": true}"#;

#[test]
fn a_socket_answers_no_confined_command_whatever_its_path() {
    let home = Home::new();
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).expect("it is ours");
    let path = directory.path().join("in/socket");
    fs::create_dir(directory.path().join("in")).expect("a directory");
    fs::set_permissions(directory.path().join("in"), fs::Permissions::from_mode(0o700)).expect("it is ours");
    let second =
        Server::unix_at(Launch::at(&home).arg("--listen").arg(format!("unix://{}", path.display())), path.clone());
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let networked = || serde_json::from_str(NETWORKED).expect("JSON");
    // The socket of a second server of this user, which this one does not know of.
    let order = |path: &std::path::Path| format!("others|talk to a server|{}", path.display());
    assert!(place.attempt(&order(&path), json!({"type": "dangerFullAccess"})), "a real attempt");
    assert!(!place.attempt(&order(&path), networked()), "a second server");
    fs::rename(directory.path().join("in"), directory.path().join("out")).expect("it is moved");
    let moved = directory.path().join("out/socket");
    assert!(place.attempt(&order(&moved), json!({"type": "dangerFullAccess"})), "a real attempt");
    assert!(!place.attempt(&order(&moved), networked()), "a moved socket");
    assert!(second.process.stderr.text().contains("another user namespace"), "{}", second.process.stderr.text());
    // The server's own, by the supervisor's place in the file system.
    let own = place.server.socket_path().to_owned();
    let below = own.strip_prefix("/").expect("absolute");
    for way in ["/proc/1/cwd", "/proc/1/root", "/proc/1/fd/3", "/proc/self/cwd"] {
        let path = std::path::Path::new(way).join(below);
        assert!(!place.attempt(&order(&path), networked()), "{}", path.display());
    }
    assert!(!place.attempt(&order(&own), networked()), "its own path");
}

#[test]
fn the_supervisor_shows_nothing_of_itself() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    for what in ["cwd", "root", "fd", "environ", "maps"] {
        let policy = place.workspace_write();
        let result = place.shell(&format!("ls -lL /proc/1/{what} && cat /proc/1/{what}"), policy);
        assert_ne!(result["exitCode"], 0, "{what}: {result}");
    }
}

#[test]
fn what_servers_keep_secret_is_not_seen() {
    let home = Home::new();
    let token = tempfile::NamedTempFile::new().expect("a file");
    fs::write(token.path(), "a-token-of-forty-characters-0123456789ab\n").expect("it can be written");
    for name in ["auth.json", ".credentials.json", ".env"] {
        fs::write(home.join(name), "{}").expect("it can be written");
    }
    fs::write(home.join("AGENTS.md"), "be careful").expect("it can be written");
    fs::create_dir(home.join("worktrees")).expect("a directory");
    let mut place = Place::new(Launch::at(&home));
    if !place.confines() {
        return;
    }
    let path = home.path().display().to_string();
    for policy in [json!({"type": "readOnly"}), json!({"type": "workspaceWrite"})] {
        let result = place.shell(&format!("ls -A {path}; cat {path}/AGENTS.md"), policy.clone());
        let stdout = result["stdout"].as_str().expect("text");
        // Commands of agents find programs there, and no secrets.
        let stdout = stdout.replace("app-server-programs\n", "");
        assert!(stdout.contains("worktrees") && stdout.contains("be careful"), "{stdout}");
        for secret in ["auth.json", ".credentials", ".env", "sqlite", "app-server"] {
            assert!(!stdout.contains(secret), "{secret} in {stdout}");
        }
        // Written anew while the command runs.
        let script = format!("sleep 0.3; cat {path}/auth.json; mv {path}/AGENTS.md {path}/x; mv {path} {path}2");
        let params = place.exec(&["sh", "-c", &script], policy, json!({}));
        let running = place.client.send_request("command/exec", params);
        fs::write(home.join("auth.new"), "{\"secret\": 1}").expect("it can be written");
        fs::rename(home.join("auth.new"), home.join("auth.json")).expect("it is replaced");
        let result = place.client.answer_to(running).expect("it ended");
        assert_eq!((&result["stdout"], result["exitCode"] == 0), (&json!(""), false), "{result}");
    }
    // A directory of the home that the client asks for may be written all the same.
    let params =
        place.exec(&["touch", "file"], json!({"type": "workspaceWrite"}), json!({"cwd": home.join("worktrees")}));
    assert_eq!(place.client.call("command/exec", params)["exitCode"], 0);
    assert!(home.join("worktrees/file").exists());
}

#[test]
fn a_token_file_is_not_seen() {
    let token = "a-token-of-forty-characters-0123456789ab";
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), format!("{token}\n")).expect("it can be written");
    let path = file.path().to_str().expect("text");
    let server = Server::ws(Launch::new().args(&["--ws-auth", "capability-token", "--ws-token-file", path]));
    let mut client = server.client_with_token(token);
    let policy = json!({"type": "workspaceWrite", "networkAccess": true});
    let params = json!({"command": ["cat", path], "sandboxPolicy": policy, "timeoutMs": 600_000});
    let Ok(result) = client.request("command/exec", params) else { return };
    assert_eq!(result["stdout"], "");
}

#[test]
fn no_network_beside_an_open_door() {
    let server = Server::ws(Launch::new());
    let warning = "warning: every user of this machine can use this server with your rights";
    server.process.stderr.wait_for("the banner's warning", |text| text.contains(warning).then_some(()));
    let mut client = server.client();
    let params = |policy| json!({"command": ["true"], "sandboxPolicy": policy, "timeoutMs": 600_000});
    for kind in ["readOnly", "workspaceWrite"] {
        let refusal = client.refusal("command/exec", params(json!({"type": kind, "networkAccess": true})));
        assert!(refusal.message.contains("--ws-auth capability-token"), "{refusal:?}");
    }
    assert_eq!(client.call("command/exec", params(json!({"type": "dangerFullAccess"})))["exitCode"], 0);
}
