//! Confined commands: every known way out is tried, and tools still work.
//!
//! The attempts are real: they succeed without confinement, or where the command may write. On a machine that cannot
//! confine commands, the promise is that nothing is run and that clients are told.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::thread;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use serde_json::{Value, json};

use super::commands_attempts::{NEVER, ON_FILES, Place};
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;

fn full_access() -> Value {
    json!({"type": "dangerFullAccess"})
}

/// The next piece of output.
fn delta(place: &mut Place) -> String {
    let delta = place.client.next_notification("command/exec/outputDelta");
    let bytes = BASE64_STANDARD.decode(delta["deltaBase64"].as_str().expect("text")).expect("base64");
    String::from_utf8(bytes).expect("text")
}

fn nothing_outside_can_be_changed(launch: Launch) {
    let mut place = Place::new(launch);
    if !place.confines() {
        return;
    }
    let (workspace, outside) = (place.workspace.path().to_owned(), place.outside.path().to_owned());
    for (name, _) in ON_FILES {
        let policy = place.workspace_write();
        assert!(place.on_files(name, workspace.clone(), policy.clone()), "{name} is a real attempt");
        assert!(!place.on_files(name, outside.clone(), policy), "{name} outside");
        assert!(!place.on_files(name, workspace.clone(), json!({"type": "readOnly"})), "{name} with readOnly");
    }
}

#[test]
fn nothing_outside_of_the_workspace_can_be_changed() {
    nothing_outside_can_be_changed(Launch::new());
}

#[test]
fn nor_by_a_server_without_privileges() {
    nothing_outside_can_be_changed(Launch::new().without_privileges());
}

/// systemd answers `clone3` (`RestrictNamespaces=`) and `openat2` (`RestrictSUIDSGID=`) as a kernel without them, because it
/// cannot see their arguments.
#[test]
fn nor_by_a_server_whose_service_manager_forbids_system_calls() {
    let managed = thread::spawn(|| {
        let architecture = std::env::consts::ARCH.try_into().expect("a known machine");
        let forbidden = [437, 435].map(|number| (number, Vec::new())).into();
        let unknown = SeccompAction::Errno(Errno::NOSYS.raw_os_error().cast_unsigned());
        let filter = SeccompFilter::new(forbidden, SeccompAction::Allow, unknown, architecture).expect("a filter");
        // It holds for what this thread starts.
        apply_filter(&BpfProgram::try_from(filter).expect("a program")).expect("a machine with seccomp");
        nothing_outside_can_be_changed(Launch::new());
    });
    managed.join().expect("it passes");
}

#[test]
fn nobody_outside_can_be_reached() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let udp = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let name = format!("promises-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("an address");
    let _listener = UnixListener::bind_addr(&address).expect("an abstract socket");
    let socket = place.outside.path().join("socket");
    let _bound = UnixListener::bind(&socket).expect("a socket");
    let server = place.server.process.id().to_string();
    let places = [
        ("tcp", tcp.local_addr().expect("an address").to_string()),
        ("udp", udp.local_addr().expect("an address").to_string()),
        ("abstract socket", name),
        ("path socket", socket.display().to_string()),
        ("path socket", place.server.socket_path().display().to_string()),
        ("signal", server.clone()),
        ("see", server.clone()),
    ];
    for (attempt, argument) in &places {
        let order = format!("others|{attempt}|{argument}");
        assert!(place.attempt(&order, full_access()), "{order} is a real attempt");
        assert!(!place.attempt(&order, json!({"type": "readOnly"})), "{order}");
        let policy = place.workspace_write();
        assert!(!place.attempt(&order, policy), "{order} from a workspace");
    }
    for (attempt, _) in NEVER {
        let order = format!("others|{attempt}|{server}");
        assert!(!place.attempt(&order, json!({"type": "readOnly"})), "{attempt}");
        let policy = place.workspace_write();
        assert!(!place.attempt(&order, policy), "{attempt} from a workspace");
    }
}

#[test]
fn the_network_is_granted_without_the_way_back_to_the_server() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = tcp.local_addr().expect("an address");
    let socket = place.server.socket_path().display().to_string();
    for policy in
        [json!({"type": "readOnly", "networkAccess": true}), json!({"type": "workspaceWrite", "networkAccess": true})]
    {
        assert!(place.attempt(&format!("others|tcp|{address}"), policy.clone()));
        assert!(!place.attempt(&format!("others|path socket|{socket}"), policy), "the control socket");
    }
}

#[test]
fn what_decides_about_later_runs_stays_read_only() {
    let home = Home::new();
    let mut place = Place::new(Launch::at(&home));
    if !place.confines() {
        return;
    }
    let repository = place.workspace.path().join("repository");
    for directory in [".git/hooks", ".codex"] {
        fs::create_dir_all(repository.join(directory)).expect("a directory");
    }
    // All of /tmp may be written here, in which the repository and the home lie.
    let policy = || json!({"type": "workspaceWrite"});
    let cwd = json!({"cwd": repository});
    for script in [
        "touch .git/config",
        "touch .git/hooks/post-commit",
        "mv .git elsewhere",
        "rm -r .git",
        "touch .codex/config.toml",
        "mv ../repository ../elsewhere",
        "mv ../../$(basename $(dirname $PWD)) ../../elsewhere",
        "touch $CODEX_HOME/config.toml",
        "mv $CODEX_HOME $CODEX_HOME-moved",
    ] {
        let params = place.exec(&["sh", "-c", script], policy(), cwd.clone());
        assert_ne!(place.client.call("command/exec", params)["exitCode"], 0, "{script}");
    }
    assert_eq!(fs::read_dir(repository.join(".git/hooks")).expect("it is there").count(), 0);
    let params = place.exec(&["touch", "file", "../file", "/tmp"], policy(), cwd);
    assert_eq!(place.client.call("command/exec", params)["exitCode"], 0, "the rest may be written");
}

#[test]
fn a_confined_command_inherits_nothing_of_the_server() {
    let mut place = Place::new(Launch::new().env("NOTIFY_SOCKET", "/run/private"));
    if !place.confines() {
        return;
    }
    for policy in [full_access(), json!({"type": "readOnly"})] {
        // The fourth is the directory that `ls` reads.
        let result = place.shell("ls /proc/self/fd; echo $NOTIFY_SOCKET; umask; ulimit -c > /dev/null", policy);
        assert!(result["stdout"].as_str().expect("text").starts_with("0\n1\n2\n3\n\n"), "{result}");
    }
    let result = place.shell("grep -E '^(Cap(Eff|Prm|Bnd)|NoNewPrivs)' /proc/self/status", json!({"type": "readOnly"}));
    let none = "0000000000000000";
    let expected = format!("CapPrm:\t{none}\nCapEff:\t{none}\nCapBnd:\t{none}\nNoNewPrivs:\t1\n");
    assert_eq!(result["stdout"], expected);
}

#[test]
fn tools_work_in_it() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    // A machine may have no git.
    let has_git = place.shell("git init -q . && git add victim", full_access())["exitCode"] == 0;
    for policy in [json!({"type": "readOnly"}), place.workspace_write()] {
        if has_git {
            let result = place.shell("git -c safe.directory='*' status --short", policy.clone());
            assert_eq!((&result["exitCode"], &result["stdout"]), (&json!(0), &json!("A  victim\n")), "{result}");
        }
        let script =
            "echo a > /dev/null; echo b > /dev/shm/b; cat /dev/shm/b; head -c 1 /dev/urandom | wc -c; ps | wc -l";
        let result = place.shell(&format!("{script} > /dev/shm/c; {script}; id -u > /dev/stderr"), policy.clone());
        assert_eq!(result["exitCode"], 0, "{result}");
        assert!(result["stdout"].as_str().expect("text").starts_with("b\n1\n"), "{result}");

        let terminal = json!({"processId": "t", "tty": true, "size": {"rows": 12, "cols": 34}});
        let params = place.exec(
            &["sh", "-c", "stty size < /dev/tty; echo $CODEX_SANDBOX_NETWORK_DISABLED > /dev/tty"],
            policy,
            terminal,
        );
        let running = place.client.send_request("command/exec", params);
        let mut seen = String::new();
        while !seen.contains("1\r\n") || !seen.contains("12 34\r\n") {
            seen.push_str(&delta(&mut place));
        }
        assert_eq!(place.client.answer_to(running).expect("it ended")["exitCode"], 0);
    }
}

#[test]
fn a_daemon_dies_with_its_command() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let marker = format!("{}.875", std::process::id());
    place.shell(&format!("(setsid sleep {marker} &) ; true"), json!({"type": "readOnly"}));
    eventually("it is gone", || {
        let entries = fs::read_dir("/proc").expect("/proc").flatten();
        let mut lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
        !lines.any(|line| line.contains(&marker))
    });
}

#[test]
fn the_configuration_decides_where_the_client_does_not() {
    let home = Home::with_config(
        "sandbox_mode = 'workspace-write'\n[sandbox_workspace_write]\nexclude_slash_tmp = true\nexclude_tmpdir_env_var = true",
    );
    let mut place = Place::new(Launch::at(&home));
    if !place.confines() {
        return;
    }
    let try_both = format!("touch here; touch {}/there", place.outside.path().display());
    let mut params = json!({"command": ["sh", "-c", try_both], "cwd": place.workspace.path()});
    assert_ne!(place.client.call("command/exec", params.clone())["exitCode"], 0);
    assert!(place.workspace.path().join("here").exists());
    place.assert_untouched("the configured sandbox");

    place.reset();
    params["permissionProfile"] = json!(":read-only");
    assert_ne!(place.client.call("command/exec", params.clone())["exitCode"], 0);
    assert!(!place.workspace.path().join("here").exists());
    params["permissionProfile"] = json!(":danger-full-access");
    assert_eq!(place.client.call("command/exec", params.clone())["exitCode"], 0);
    params["permissionProfile"] = json!(":nope");
    let refusal = place.client.refusal("command/exec", params);
    assert!(refusal.message.starts_with("invalid permission profile: "), "{refusal:?}");
}

/// A sandbox refuses new namespaces, so a server inside one cannot confine: as on a kernel that does not let it.
#[test]
fn where_nothing_can_be_confined_nothing_is_run_unasked() {
    let mut place = Place::new(Launch::new());
    if !place.confines() {
        return;
    }
    let home = place.workspace.path().join("home");
    fs::create_dir(&home).expect("a directory");
    let binary = env!("CARGO_BIN_EXE_codex-app-server");
    let more = json!({"env": {"CODEX_HOME": home, "RUST_LOG": "off"}, "processId": "inner", "streamStdin": true, "streamStdoutStderr": true});
    let params = place.exec(&[binary], place.workspace_write(), more);
    let running = place.client.send_request("command/exec", params);
    let exec = |id: i64, policy: &str| {
        json!({"id": id, "method": "command/exec", "params": {
            "command": ["sh", "-c", format!("touch {policy}")], "sandboxPolicy": {"type": policy}
        }})
    };
    let client = json!({"name": "inner", "version": "1"});
    let lines = [
        json!({"id": 0, "method": "initialize", "params": {"clientInfo": client}}),
        exec(1, "readOnly"),
        exec(2, "workspaceWrite"),
        exec(3, "externalSandbox"),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let text = BASE64_STANDARD.encode(text);
    place.client.call("command/exec/write", json!({"processId": "inner", "deltaBase64": text}));
    let mut output = String::new();
    let expected = ["configWarning", r#""id":1}"#, r#""id":2}"#, r#""id":3,"#];
    while !(expected.iter().all(|text| output.contains(text)) && output.ends_with('\n')) {
        output.push_str(&delta(&mut place));
    }
    place.client.call("command/exec/write", json!({"processId": "inner", "closeStdin": true}));
    assert_eq!(place.client.answer_to(running).expect("it ended")["exitCode"], 0);
    let answers: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let answer = |id: i64| answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("{id}: {output}"));
    for id in [1, 2] {
        let message = answer(id)["error"]["message"].as_str().expect("a refusal");
        assert!(message.starts_with("the command was not run because it cannot be confined as requested"), "{message}");
    }
    assert_eq!(answer(3)["result"]["exitCode"], 0);
    assert!(answers.iter().any(|message| message["method"] == "configWarning"), "{output}");
    assert!(place.workspace.path().join("externalSandbox").exists());
    assert!(!place.workspace.path().join("workspaceWrite").exists());
}
