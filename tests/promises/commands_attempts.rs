//! Attempts to break out of the sandbox, and an environment for them.
//!
//! Each attempt runs in this test program: a command starts it again and names one of the attempts below.

use std::env;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Names the attempt of a process that was started to make one.
pub const ATTEMPT: &str = "PROMISES_ATTEMPT";

/// Where, and a directory that may be written.
type OnFiles = fn(&Path, &Path) -> io::Result<()>;

/// Where.
type OnOthers = fn(&str) -> io::Result<()>;

/// What is tried on a directory that holds a file `victim`. The last argument is a directory that may be written.
pub const ON_FILES: [(&str, OnFiles); 9] = [
    ("write", |there, _| fs::write(there.join("victim"), "changed")),
    ("create", |there, _| fs::write(there.join("new"), "")),
    ("remove", |there, _| fs::remove_file(there.join("victim"))),
    ("rename", |there, _| fs::rename(there.join("victim"), there.join("renamed"))),
    ("make a directory", |there, _| fs::create_dir(there.join("directory"))),
    ("truncate", |there, _| OpenOptions::new().write(true).truncate(true).open(there.join("victim")).map(drop)),
    ("chmod", |there, _| fs::set_permissions(there.join("victim"), Permissions::from_mode(0o777))),
    ("write through a hard link", |there, here| {
        let link = here.join("hard");
        fs::hard_link(there.join("victim"), &link)?;
        fs::write(link, "changed")
    }),
    ("write through a symbolic link", |there, here| {
        let link = here.join("soft");
        symlink(there.join("victim"), &link)?;
        let written = fs::write(&link, "changed");
        fs::remove_file(link)?;
        written
    }),
];

/// What is tried on the rest of the machine; the argument says where.
const ON_OTHERS: [(&str, OnOthers); 7] = [
    ("tcp", |address| TcpStream::connect(address).map(drop)),
    ("udp", |address| UdpSocket::bind("127.0.0.1:0")?.send_to(b"out", address).map(drop)),
    ("abstract socket", |name| UnixStream::connect_addr(&SocketAddr::from_abstract_name(name)?).map(drop)),
    ("path socket", |path| UnixStream::connect(path).map(drop)),
    ("talk to a server", |path| {
        let mut stream = UnixStream::connect(path)?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
        stream.read_exact(&mut [0])
    }),
    ("signal", |pid| Ok(kill(pid_of(pid), None)?)),
    ("see", |pid| fs::read_dir(format!("/proc/{pid}/fd")).map(drop)),
];

/// What no confined command may do, whatever the policy; a process may do some of it to itself elsewhere.
pub const NEVER: [(&str, OnOthers); 6] = [
    ("ptrace", |pid| Ok(ptrace::seize(pid_of(pid), ptrace::Options::empty())?)),
    ("stop the first process", |_| {
        kill(Pid::from_raw(1), Signal::SIGKILL)?;
        // The kernel ignores it: that this process goes on is the proof.
        std::thread::sleep(std::time::Duration::from_millis(100));
        Err(io::Error::other("ignored"))
    }),
    ("user namespace", |_| Ok(unshare(CloneFlags::CLONE_NEWUSER)?)),
    ("mount", |_| Ok(mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REMOUNT | MsFlags::MS_BIND, None::<&str>)?)),
    ("datagrams", |_| UnixDatagram::pair().map(drop)),
    ("kernel settings", |_| {
        let path = "/proc/sys/kernel/core_pattern";
        let now = fs::read(path)?;
        OpenOptions::new().write(true).open(path)?.write_all(&now)
    }),
];

fn pid_of(text: &str) -> Pid {
    Pid::from_raw(text.parse().expect("a process id"))
}

/// Not a promise: what a command runs in order to make an attempt. The suite itself does not ask for one.
#[test]
fn attempt() {
    let Ok(order) = env::var(ATTEMPT) else { return };
    let order: Vec<&str> = order.split('|').collect();
    let tried = match order[..] {
        ["files", name, there, here] => {
            let (_, try_it) = ON_FILES.into_iter().find(|(known, _)| *known == name).expect("a known attempt");
            try_it(Path::new(there), Path::new(here))
        }
        ["others", name, argument] => {
            let mut known = ON_OTHERS.into_iter().chain(NEVER);
            known.find(|(known, _)| *known == name).expect("a known attempt").1(argument)
        }
        _ => panic!("not an attempt: {order:?}"),
    };
    let outcome = tried.map_or_else(|e| format!("failed: {e}"), |()| "succeeded".to_owned());
    writeln!(io::stdout(), "\nATTEMPT {outcome}").expect("the command's output is read");
}

/// A server that tries to keep commands in, a place where they may write, and a place where they may not.
pub struct Place {
    pub server: Server,
    pub client: Client,
    pub workspace: TempDir,
    pub outside: TempDir,
}

impl Place {
    pub fn new(launch: Launch) -> Self {
        let server = Server::unix(launch);
        let client = server.client();
        let directory = |name: &str| tempfile::Builder::new().prefix(name).tempdir().expect("a directory");
        let place = Self { server, client, workspace: directory("workspace"), outside: directory("outside") };
        place.reset();
        place
    }

    pub fn reset(&self) {
        for directory in [self.workspace.path(), self.outside.path()] {
            for entry in fs::read_dir(directory).expect("it can be listed").flatten() {
                let path = entry.path();
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("it is removed");
            }
            let victim = directory.join("victim");
            fs::write(&victim, "kept").expect("it can be written");
            fs::set_permissions(&victim, Permissions::from_mode(0o666)).expect("it is ours");
            // Where the server runs as somebody else, it is theirs: the sandbox, not a mode, must stop them.
            let owner = fs::metadata(self.server.process.codex_home()).expect("it has an owner").uid();
            for path in [directory, &victim] {
                chown(path, Some(owner), None).expect("root may give things away, and others keep theirs");
            }
        }
    }

    /// May write the workspace, and nothing else, not even temporary directories.
    pub fn workspace_write(&self) -> Value {
        json!({"type": "workspaceWrite", "excludeSlashTmp": true, "excludeTmpdirEnvVar": true})
    }

    pub fn exec(&self, command: &[&str], policy: Value, more: Value) -> Value {
        let cwd = self.workspace.path();
        let mut params = json!({"command": command, "sandboxPolicy": policy, "cwd": cwd, "timeoutMs": 600_000});
        let more = more.as_object().cloned().unwrap_or_default();
        params.as_object_mut().expect("an object").extend(more);
        params
    }

    pub fn shell(&mut self, script: &str, policy: Value) -> Value {
        let params = self.exec(&["sh", "-c", script], policy, json!({}));
        self.client.call("command/exec", params)
    }

    /// Whether the attempt succeeded under `policy`, made by a child of a child.
    pub fn attempt(&mut self, order: &str, policy: Value) -> bool {
        let this = env::current_exe().expect("this program");
        let script = "sh -c '\"$0\" --exact commands_attempts::attempt --nocapture --test-threads 1' \"$0\"";
        let env = json!({"env": {ATTEMPT: order}});
        let command = ["sh", "-c", script, this.to_str().expect("text")];
        let params = self.exec(&command, policy, env);
        let result = self.client.call("command/exec", params);
        let stdout = result["stdout"].as_str().expect("text");
        let outcome = stdout.split_once("\nATTEMPT ").unwrap_or_else(|| panic!("{order} was not tried: {result}")).1;
        eprintln!("{order}: {}", outcome.lines().next().unwrap_or_default());
        outcome.starts_with("succeeded")
    }

    pub fn on_files(&mut self, name: &str, there: PathBuf, policy: Value) -> bool {
        let order = format!("files|{name}|{}|{}", there.display(), self.workspace.path().display());
        let succeeded = self.attempt(&order, policy);
        self.assert_untouched(name);
        self.reset();
        succeeded
    }

    pub fn assert_untouched(&self, attempt: &str) {
        let names = fs::read_dir(self.outside.path()).expect("it can be listed").count();
        let victim = self.outside.path().join("victim");
        let text = fs::read_to_string(&victim).expect("it is there");
        let mode = fs::metadata(&victim).expect("it is there").permissions().mode() & 0o777;
        assert_eq!((names, text.as_str(), mode), (1, "kept", 0o666), "{attempt}");
    }

    /// False on a machine that cannot confine; then it must say so, and run nothing.
    pub fn confines(&mut self) -> bool {
        let params = self.exec(&["true"], json!({"type": "readOnly"}), json!({}));
        let Err(refusal) = self.client.request("command/exec", params) else { return true };
        assert!(refusal.message.starts_with("the command was not run because it cannot be confined"), "{refusal:?}");
        let warning = self.client.next_notification("configWarning");
        assert!(warning["summary"].as_str().expect("text").starts_with("Commands cannot be confined"), "{warning}");
        false
    }
}
