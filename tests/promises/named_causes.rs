//! Errors of the system name what they are about, and what can be done.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use serde_json::json;

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A launch in namespaces of its own, where `script` prepares the machine; `None`, with a word about it, where the kernel
/// does not let.
fn prepared(namespaces: &[&str], script: &str) -> Option<Launch> {
    let words = [&["unshare", "--user", "--map-root-user"], namespaces, &["sh", "-c"]].concat();
    let tried = Command::new(words[0]).args(&words[1..]).arg(script).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("skipped: this machine does not let `{script}`");
        return None;
    }
    let script = format!("{script}; exec \"$0\" \"$@\"");
    Some(Launch::new().through(&[&words[..], &[&script]].concat()))
}

#[test]
fn a_home_that_is_a_link_to_nothing_is_named_with_its_target() {
    let user = Home::new();
    symlink(user.join("nothing"), user.join(".codex")).expect("a link");
    let launch = || Launch::at(&user).env("CODEX_HOME", "").env("HOME", &user.path().display().to_string());
    let said = format!("{:?} is a link to {:?}, which does not exist", user.join(".codex"), user.join("nothing"));
    let ended = launch().args(&["--listen", "unix://"]).run();
    assert!(ended.code == Some(78) && ended.stderr.contains(&said), "{ended:?}");
    let ended = launch().arg("doctor").run();
    assert!(ended.code == Some(1) && ended.stdout.contains(&said), "{ended:?}");
}

#[test]
fn a_script_without_its_interpreter_is_not_called_missing() {
    let server = Server::unix(Launch::new());
    let script = server.process.home().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").expect("a file");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let params = json!({"command": [script], "sandboxPolicy": {"type": "dangerFullAccess"}});
    let error = server.client().refusal("command/exec", params);
    assert!(error.message.ends_with(&format!("the interpreter of the program `{}`", script.display())), "{error:?}");
}

#[test]
fn a_machine_without_proc_is_told_and_not_the_program() {
    let Some(launch) = prepared(&["--mount"], "mount -t tmpfs none /proc") else { return };
    let server = Server::stdio(launch);
    let params = json!({"command": ["true"], "sandboxPolicy": {"type": "dangerFullAccess"}});
    let error = server.client().refusal("command/exec", params);
    assert!(error.message.ends_with("/proc/self/exe; is /proc mounted?"), "{error:?}");
}

#[test]
fn a_user_without_inotify_is_told_which_limit_it_is() {
    for (file, limit) in [("instances", "max_user_instances"), ("watches", "max_user_watches")] {
        let script = format!("echo 0 > /proc/sys/user/max_inotify_{file}");
        let Some(launch) = prepared(&[], &script) else { return };
        let server = Server::stdio(launch);
        let home = server.process.home().path().to_owned();
        let error = server.client().refusal("fs/watch", json!({"watchId": "w", "path": home}));
        let names = [&home.display().to_string(), limit].iter().all(|name| error.message.contains(*name));
        assert!(names, "{error:?}");
    }
}
