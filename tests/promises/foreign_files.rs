//! Whatever others put in the place of a file, it stops neither the server nor its other clients.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A home, and a project that its user trusts, with a file in it.
struct Scene {
    home: Home,
    project: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let project = tempfile::tempdir().expect("a temporary directory");
        let trust = format!("[projects.'{}']\ntrust_level = 'trusted'\n", project.path().display());
        let scene = Self { home: Home::with_config(&trust), project };
        fs::create_dir(scene.at(".git")).expect("a repository");
        fs::create_dir(scene.at(".codex")).expect("a folder");
        fs::write(scene.at("file"), "hello").expect("a file");
        scene
    }

    fn at(&self, name: &str) -> PathBuf {
        self.project.path().join(name)
    }

    /// The places in the project where the server looks for a file.
    fn in_project(&self) -> Vec<PathBuf> {
        [".codex/config.toml", ".gitignore", ".ignore", ".git/info/exclude", "odd"].map(|name| self.at(name)).into()
    }

    /// The places in the home. Without its configuration, no project is trusted.
    fn in_home(&self) -> Vec<PathBuf> {
        ["auth.json", "config.toml"].map(|name| self.home.join(name)).into()
    }

    /// Requests that make the server open `places`; those about the file itself come last.
    fn requests(&self) -> Vec<(&'static str, Value)> {
        let (project, file, odd) = (self.project.path(), self.at("file"), self.at("odd"));
        vec![
            ("thread/start", json!({"cwd": project})),
            ("config/read", json!({"cwd": project})),
            ("config/value/write", json!({"keyPath": "model", "value": "m", "mergeStrategy": "replace"})),
            ("account/read", json!({})),
            ("permissionProfile/list", json!({"cwd": project})),
            ("fuzzyFileSearch", json!({"query": "file", "roots": [project]})),
            ("fs/readDirectory", json!({"path": project})),
            ("fs/readFile", json!({"path": odd})),
            ("fs/copy", json!({"sourcePath": odd, "destinationPath": self.at("copy")})),
            ("fs/copy", json!({"sourcePath": project, "destinationPath": self.home.join("copies"), "recursive": true})),
            ("fs/copy", json!({"sourcePath": file, "destinationPath": odd})),
            ("fs/writeFile", json!({"path": odd, "dataBase64": "aGVsbG8="})),
        ]
    }

    /// Sends everything that touches the places, all at once from one client; another is served meanwhile; each request
    /// is answered, with a result or an error; and the server ends when it is told to.
    fn stops_nobody(&self) {
        let mut server = Server::unix(Launch::at(&self.home));
        let (mut ann, mut bob) = (server.client(), server.client());
        let ids: Vec<i64> =
            self.requests().into_iter().map(|(method, params)| ann.send_request(method, params)).collect();
        let elsewhere = tempfile::tempdir().expect("a temporary directory");
        fs::write(elsewhere.path().join("file"), "hello").expect("a file");
        let read = bob.call("fs/readFile", json!({"path": elsewhere.path().join("file")}));
        assert_eq!(read["dataBase64"], "aGVsbG8=");
        let found = bob.call("fuzzyFileSearch", json!({"query": "file", "roots": [elsewhere.path()]}));
        assert_eq!(found["files"][0]["path"], "file");
        bob.call("account/read", json!({}));
        for id in ids {
            // Which of the two does not matter here.
            let _ = ann.answer_to(id);
        }
        server.process.signal(Signal::TERM);
        assert_eq!(server.process.exit_code(), 0);
    }
}

fn make_pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a named pipe");
}

/// Puts something else in the place of whatever is at `path`.
fn put(path: &Path, make: impl FnOnce(&Path)) {
    fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    let _ = fs::remove_file(path);
    make(path);
}

#[test]
fn named_pipes_stop_nobody() {
    for places in [Scene::in_project, Scene::in_home] {
        let scene = Scene::new();
        places(&scene).iter().for_each(|place| put(place, make_pipe));
        scene.stops_nobody();
    }
}

#[test]
fn a_repository_that_is_a_named_pipe_stops_nobody() {
    let scene = Scene::new();
    for name in [".git", ".codex"] {
        fs::remove_dir(scene.at(name)).expect("it was empty");
        make_pipe(&scene.at(name));
    }
    scene.stops_nobody();
}

#[test]
fn devices_and_files_of_the_kernel_stop_nobody() {
    for target in ["/dev/zero", "/dev/tty", "/proc/kmsg", "/proc/self/pagemap"] {
        eprintln!("with links to {target}");
        for places in [Scene::in_project, Scene::in_home] {
            let scene = Scene::new();
            places(&scene).iter().for_each(|place| put(place, |path| symlink(target, path).expect("a link")));
            scene.stops_nobody();
        }
    }
}

/// Somebody who holds write leases on files, and does not give them up when asked.
struct LeaseHolder(Child);

impl LeaseHolder {
    /// None where there is no perl; no safe Rust library takes leases.
    fn of(files: &[PathBuf]) -> Option<Self> {
        // 1024 is F_SETLEASE, 1 is F_WRLCK.
        let program = "$SIG{IO} = 'IGNORE';
            for (@ARGV) { open(my $file, '<', $_) or die; push @files, $file; fcntl($file, 1024, 1) or die \"$!\" }
            print qq(held\\n); close(STDOUT); sleep 600";
        let mut command = Command::new("perl");
        command.arg("-e").arg(program).args(files).stdout(Stdio::piped());
        let mut child = command.spawn().ok()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "held\n", "the leases are taken");
        Some(Self(child))
    }
}

impl Drop for LeaseHolder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether the kernel still waits for the holder of a lease on `file`, which it does for 45 seconds.
fn is_leased(file: &Path) -> bool {
    let inode = format!(":{} ", file.metadata().expect("it exists").ino());
    let locks = fs::read_to_string("/proc/locks").expect("the kernel lists locks");
    locks.lines().any(|line| line.contains("LEASE") && line.contains(&inode))
}

#[test]
fn leases_stop_nobody() {
    for places in [Scene::in_project, Scene::in_home] {
        let scene = Scene::new();
        let places = places(&scene);
        places.iter().for_each(|place| put(place, |path| fs::write(path, "").expect("a file")));
        let Some(_holder) = LeaseHolder::of(&places) else {
            eprintln!("not looked at: there is no perl to hold a lease");
            return;
        };
        assert!(is_leased(&places[0]), "the kernel lists the lease");
        scene.stops_nobody();
        assert!(is_leased(&places[0]), "the server waited until the kernel took the lease away");
    }
}

#[test]
fn what_changes_into_something_else_while_it_is_read_stops_nobody() {
    let scene = Scene::new();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for name in [".git", ".codex", "odd", ".gitignore"] {
                    let path = scene.at(name);
                    let _ = fs::create_dir(&path);
                    let _ = fs::remove_dir_all(&path);
                    let _ = fs::write(&path, "gitdir: nowhere");
                    let _ = fs::remove_file(&path);
                    let _ = mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0);
                    let _ = fs::remove_file(&path);
                }
            }
        });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let server = Server::unix(Launch::at(&scene.home));
            let (mut ann, mut bob) = (server.client(), server.client());
            for _ in 0..40 {
                let requests = scene.requests().into_iter();
                let ids: Vec<i64> = requests.map(|(method, params)| ann.send_request(method, params)).collect();
                bob.call("account/read", json!({}));
                ids.into_iter().for_each(|id| drop(ann.answer_to(id)));
            }
        }));
        done.store(true, Ordering::Relaxed);
        ended.expect("every request is answered");
    });
}

#[test]
fn a_copy_is_bounded_by_what_its_source_says_it_has() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home).setting("limits.file_bytes", 1_048_576));
    let mut client = server.client();
    let copy = home.join("copy");
    let error = client.refusal("fs/copy", json!({"sourcePath": "/proc/self/pagemap", "destinationPath": copy}));
    assert!(error.message.contains("said that it has 0"), "{error:?}");
    assert!(copy.metadata().expect("it was begun").len() < 4 * 1_048_576);
}

#[test]
fn a_copy_ends_when_its_client_leaves() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home).setting("limits.file_workers", 1));
    // Without holes it would fill the disk; with them it takes its time all the same.
    let source = home.join("source");
    fs::File::create(&source).and_then(|file| file.set_len(1 << 36)).expect("a large file with nothing in it");
    let mut ann = server.client();
    let copy = home.join("copy");
    ann.send_request("fs/copy", json!({"sourcePath": source, "destinationPath": copy}));
    crate::support::eventually("the copy has begun", || copy.exists());
    ann.close();
    // There is one worker only, and it is free again.
    let mut bob = server.client();
    bob.call("fs/remove", json!({"path": copy}));
    assert!(!copy.exists());
}
