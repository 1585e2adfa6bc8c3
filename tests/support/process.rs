//! One run of the real binary: its arguments, its output, its end.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

pub use super::collected::Collected;
use super::home::Home;
use super::{eventually, secrets};

/// No test takes so long. What lives longer is ended, and with it the pipes and sockets that a test may be waiting for.
const LIFETIME: Duration = Duration::from_secs(600);

/// How to run the binary.
#[derive(Clone)]
pub struct Launch {
    binary: PathBuf,
    user: Option<u32>,
    home: Home,
    working_directory: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// stderr is read up to a line with this.
    stderr_until: Option<&'static str>,
    open_files: Option<u64>,
    processes: Option<u64>,
    /// Sockets that it inherits, as from a supervisor.
    sockets: Vec<Arc<OwnedFd>>,
    /// The program that starts the binary, and its arguments.
    through: Vec<String>,
}

impl Launch {
    /// The user of [`Self::without_privileges`], where the tests run as root.
    pub const NOBODY: u32 = 65_534;

    /// In an empty home of its own.
    pub fn new() -> Self {
        Self::at(&Home::new())
    }

    /// In `home`, which is the working directory too.
    pub fn at(home: &Home) -> Self {
        Self {
            binary: env!("CARGO_BIN_EXE_codex-app-server").into(),
            user: None,
            home: home.clone(),
            working_directory: home.path().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            stderr_until: None,
            open_files: None,
            processes: None,
            sockets: Vec::new(),
            through: Vec::new(),
        }
    }

    /// In this working directory.
    pub fn in_directory(mut self, directory: &Path) -> Self {
        self.working_directory = directory.to_owned();
        self
    }

    /// With a limit of `files` open files, soft and hard.
    pub fn open_files(mut self, files: u64) -> Self {
        self.open_files = Some(files);
        self
    }

    /// Started by this program, which gets the binary and its arguments behind `words`.
    pub fn through(mut self, words: &[&str]) -> Self {
        self.through = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// With one more socket that it inherits, as systemd passes it on.
    pub fn socket(mut self, socket: impl Into<OwnedFd>) -> Self {
        self.sockets.push(Arc::new(socket.into()));
        self
    }

    /// With a stderr that is read up to the first line that contains `marker`, and then no more, without being closed.
    pub fn stderr_until(mut self, marker: &'static str) -> Self {
        self.stderr_until = Some(marker);
        self
    }

    /// With one more argument.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With more arguments.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&a| a.to_owned()));
        self
    }

    /// With `app_server.<name> = <value>`.
    pub fn setting(self, name: &str, value: impl std::fmt::Display) -> Self {
        self.arg("-c").arg(format!("app_server.{name}={value}"))
    }

    /// With an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// As a user with no rights but those that file modes give, even where the tests run as root. The home becomes
    /// that user's.
    pub fn without_privileges(mut self) -> Self {
        if rustix::process::geteuid().is_root() {
            // The build directory may be closed to others.
            let copy = self.home.join("codex-app-server");
            fs::copy(&self.binary, &copy).expect("the binary is copied");
            self.binary = copy;
            self.home.give_to(Self::NOBODY);
            self.user = Some(Self::NOBODY);
        }
        self
    }

    /// With as many processes and threads of its user as make it start no more.
    pub fn processes(mut self, processes: u64) -> Self {
        self.processes = Some(processes);
        self
    }

    /// The home it runs in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    fn command(&self) -> Command {
        let mut command = match self.through.split_first() {
            Some((program, words)) => {
                let mut command = Command::new(program);
                command.args(words).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        let limits = [("nofile", self.open_files), ("nproc", self.processes)];
        let limits: Vec<String> =
            limits.iter().filter_map(|(name, limit)| limit.map(|limit| format!("--{name}={limit}:{limit}"))).collect();
        if !limits.is_empty() {
            command = Command::new("prlimit");
            command.args(limits).arg(&self.binary);
        }
        if let Some(user) = self.user {
            command.uid(user);
        }
        command
            .args(&self.arguments)
            .current_dir(&self.working_directory)
            .env_remove("RUST_LOG")
            .env_remove("RUST_BACKTRACE")
            .env_remove("LOG_FORMAT")
            .env("CODEX_HOME", self.home.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if !self.sockets.is_empty() {
            let duplicate = |socket: &OwnedFd| socket.try_clone().expect("a socket can be duplicated");
            let numbered = self.sockets.iter().zip(3..);
            let mappings = numbered.map(|(it, child_fd)| FdMapping { parent_fd: duplicate(it), child_fd }).collect();
            command.env("LISTEN_FDS", self.sockets.len().to_string());
            command.fd_mappings(mappings).expect("each has a number of its own");
        }
        command
    }

    /// Starts it with pipes on all three streams.
    pub fn spawn(self) -> Process {
        let child = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        Process::of(child, self.home, self.stderr_until)
    }

    /// Starts it with one socket as stdin and stdout.
    pub fn spawn_on(self, stream: UnixStream) -> Process {
        let stdout = stream.try_clone().expect("a socket can be duplicated");
        let child = self
            .command()
            .stdin(OwnedFd::from(stream))
            .stdout(OwnedFd::from(stdout))
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        Process::of(child, self.home, self.stderr_until)
    }

    /// Starts it with `stdout`, a file or a terminal, and nothing on stdin.
    pub fn spawn_to(self, stdout: impl Into<Stdio>) -> Process {
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        Process::of(child, self.home, self.stderr_until)
    }

    /// Starts it with a terminal as stdin and stdout.
    pub fn spawn_at(self, terminal: OwnedFd) -> Process {
        let stdout = terminal.try_clone().expect("a terminal can be duplicated");
        let child =
            self.command().stdin(terminal).stdout(stdout).stderr(Stdio::piped()).spawn().expect("the binary starts");
        Process::of(child, self.home, self.stderr_until)
    }

    /// Runs it to its end with nothing on stdin.
    pub fn run(self) -> Ended {
        self.spawn().ended()
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
}

/// A running binary; ended by force when dropped.
pub struct Process {
    child: Child,
    /// Its stdin until somebody takes it.
    pub stdin: Option<ChildStdin>,
    /// Its stdout until somebody takes it.
    pub stdout: Option<ChildStdout>,
    /// What it has written to stderr.
    pub stderr: Collected,
    home: Home,
    /// Held as long as somebody has use for the process.
    _wanted: Sender<()>,
}

impl Process {
    fn of(mut child: Child, home: Home, stderr_until: Option<&'static str>) -> Self {
        let stderr = Collected::until(child.stderr.take().expect("stderr is a pipe"), stderr_until);
        let (wanted, unwanted) = mpsc::channel();
        // Not by its number, which may be another's one day.
        if let Ok(process) = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            thread::spawn(move || {
                if unwanted.recv_timeout(LIFETIME) == Err(RecvTimeoutError::Timeout) {
                    // It may have ended by itself.
                    let _ = pidfd_send_signal(&process, Signal::KILL);
                }
            });
        }
        Self { stdin: child.stdin.take(), stdout: child.stdout.take(), child, stderr, home, _wanted: wanted }
    }

    /// The home it runs in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// `CODEX_HOME`.
    pub fn codex_home(&self) -> &Path {
        self.home.path()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there to be signalled");
    }

    /// Waits for its end, with nothing on stdin.
    pub fn ended(mut self) -> Ended {
        drop(self.stdin.take());
        let stdout = Collected::of(self.stdout.take().expect("stdout is a pipe"));
        let status = self.wait();
        Ended { code: status.code(), stdout: stdout.all(), stderr: self.stderr.all() }
    }

    /// True as long as it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the status is readable").is_none()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the process ends", || {
            status = self.child.try_wait().expect("the status is readable");
            status.is_some()
        });
        status.expect("it has ended")
    }

    /// Waits for its end, which must be an exit: the code.
    pub fn exit_code(&mut self) -> i32 {
        let status = self.wait();
        status.code().unwrap_or_else(|| panic!("ended by {status}; stderr:\n{}", self.stderr.text()))
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.wait();
        self.outlive_its_socket();
    }

    /// What a server was just starting when it was killed holds its listener until it has become another program. The
    /// next server in the same home would find the socket in use.
    fn outlive_its_socket(&self) {
        let (path, pid) = (self.home.control_socket(), Pid::from_child(&self.child));
        let listens = || {
            let peer = UnixStream::connect(&path).and_then(|stream| Ok(socket_peercred(stream)?));
            peer.is_ok_and(|peer| peer.pid == pid)
        };
        eventually("nobody holds the socket of the killed server", || !listens());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            // A process that ends between the question and the signal is as good as killed.
            let _ = self.child.kill();
            let _ = self.child.wait();
            if !thread::panicking() {
                self.outlive_its_socket();
            }
        }
        if !thread::panicking() {
            secrets::assert_none_in(&self.stderr.text());
        }
    }
}
