//! The contestants as processes: starting them, and the way to them.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal};
use serde::Serialize;
use tempfile::TempDir;

use crate::Result;
use crate::client::Client;
use crate::usage::{self, Meter};

/// Who is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contestant {
    /// The server.
    Ours,
    /// A bare actix-web-actors server without a protocol: what the framework costs.
    Echo,
    /// A bare socket or pipe: what the kernel costs.
    Floor,
    /// The reference program, where the environment names it.
    Reference,
}

impl Contestant {
    /// Its name in the report, and for the bare ones the role that this executable plays for them.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Echo => "echo",
            Self::Floor => "floor",
            Self::Reference => "reference",
        }
    }
}

/// The way to a contestant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// WebSocket over a Unix socket.
    Unix,
    /// WebSocket over TCP on the loopback interface.
    Tcp,
    /// Lines over pipes.
    Stdio,
    /// By way of a backend, and no other way; of the contestants only the server has it.
    Remote,
}

impl Transport {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::Tcp => "TCP",
            Self::Stdio => "stdio",
            Self::Remote => "remote control",
        }
    }
}

/// The name of a contestant's Unix socket in its home.
pub const SOCKET: &str = "bench.sock";

/// Starts contestants.
pub struct Launcher {
    server: PathBuf,
    this: PathBuf,
    reference: Option<PathBuf>,
}

/// The variable that names the reference program.
const REFERENCE: &str = "REFERENCE";

impl Launcher {
    /// Contestants of which [`Contestant::Ours`] is the program `server`; the variable `REFERENCE` names the reference
    /// program.
    pub fn new(server: PathBuf) -> Result<Self> {
        let reference = std::env::var_os(REFERENCE).map(PathBuf::from);
        Ok(Self { server, this: std::env::current_exe()?, reference })
    }

    /// Those that speak the whole protocol.
    pub fn servers(&self) -> impl Iterator<Item = Contestant> {
        [Contestant::Ours].into_iter().chain(self.reference.as_ref().map(|_| Contestant::Reference))
    }

    /// The program that is measured.
    pub fn program(&self) -> &Path {
        &self.server
    }

    /// Starts `who` with an empty home of its own.
    pub fn start(&self, who: Contestant, transport: Transport) -> Result<Server> {
        self.start_in(Arc::new(tempfile::tempdir()?), who, transport)
    }

    /// Starts `who` with `home` as its `CODEX_HOME`, its working directory and the place of its socket.
    pub fn start_in(&self, home: Arc<TempDir>, who: Contestant, transport: Transport) -> Result<Server> {
        let socket = home.path().join(SOCKET);
        let address = match transport {
            Transport::Unix => format!("unix://{}", socket.display()),
            Transport::Tcp => "ws://127.0.0.1:0".to_owned(),
            Transport::Stdio => "stdio://".to_owned(),
            Transport::Remote => "off".to_owned(),
        };
        let (program, words) = match who {
            Contestant::Ours => (&self.server, ["app-server", "--listen", &address]),
            Contestant::Reference => {
                let program = self.reference.as_ref().ok_or("the reference program is not named")?;
                (program, ["app-server", "--listen", &address])
            }
            Contestant::Echo | Contestant::Floor => (&self.this, ["--serve", who.name(), &address]),
        };
        let mut command = Command::new(program);
        let stderr = home.path().join("stderr");
        let pipe = || if transport == Transport::Stdio { Stdio::piped() } else { Stdio::null() };
        let child = command
            .args(words)
            .args((transport == Transport::Remote).then_some("--remote-control"))
            .current_dir(home.path())
            .env("CODEX_HOME", home.path())
            .env_remove("RUST_LOG")
            .stdin(pipe())
            .stdout(pipe())
            .stderr(File::create(&stderr)?)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", command.get_program().display()))?;
        Ok(Server { child, who, transport, socket, stderr, _home: home })
    }
}

/// A running contestant; it is killed when this goes out of scope.
pub struct Server {
    child: Child,
    who: Contestant,
    transport: Transport,
    socket: PathBuf,
    stderr: PathBuf,
    _home: Arc<TempDir>,
}

impl Server {
    /// How long a contestant may take to open its door.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A connection ready for requests: upgraded, and with our server initialized. Waits for the door to open.
    pub fn connect(&mut self) -> Result<Client> {
        self.connect_to("/")
    }

    /// The same, to a certain path of the WebSocket.
    pub fn connect_to(&mut self, path: &str) -> Result<Client> {
        let mut client = match self.transport {
            Transport::Unix => self.until_open(|server| Client::over_unix(&server.socket).ok())?,
            Transport::Tcp => Client::over_tcp(self.until_open(Self::announced_address)?)?,
            Transport::Stdio => {
                let pipes = self.child.stdin.take().zip(self.child.stdout.take());
                let (stdin, stdout) = pipes.ok_or("the pipes are in use")?;
                Client::over_pipes(stdin, stdout)
            }
            Transport::Remote => return Err("it is reached through its backend".into()),
        };
        if self.transport != Transport::Stdio && self.who != Contestant::Floor {
            client.upgrade(path)?;
        }
        if matches!(self.who, Contestant::Ours | Contestant::Reference) {
            client.initialize()?;
        }
        Ok(client)
    }

    /// Ends it as an operator would, so that it leaves its home in order.
    pub fn stop(mut self) -> Result<()> {
        rustix::process::kill_process(self.pid()?, Signal::TERM)?;
        let deadline = Instant::now() + Self::PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                return Err("does not stop on SIGTERM".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Starts to measure what it uses, and what this process as its client does.
    pub fn meter(&self) -> Result<Meter> {
        Meter::start([self.child.id(), std::process::id()])
    }

    /// Seconds of processor time, its children's included; see [`usage::family_seconds`].
    pub fn family_seconds(&self) -> Result<f64> {
        usage::family_seconds(self.child.id())
    }

    /// Its Unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Bytes of memory that it has resident.
    pub fn resident_bytes(&self) -> Result<u64> {
        usage::resident_bytes(self.child.id())
    }

    /// Those of them that belong to no file.
    pub fn allocated_bytes(&self) -> Result<u64> {
        usage::allocated_bytes(self.child.id())
    }

    fn pid(&self) -> Result<Pid> {
        Ok(i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no such pid")?)
    }

    /// Tries until there is something to connect to. The pause is short because start-up times are measured with it.
    fn until_open<T>(&mut self, attempt: impl Fn(&Self) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + Self::PATIENCE;
        loop {
            if let Some(open) = attempt(self) {
                return Ok(open);
            }
            if self.child.try_wait()?.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(&self.stderr).unwrap_or_default();
                return Err(format!("{:?} does not open its door: {said}", self.who).into());
            }
            std::thread::sleep(Duration::from_micros(100));
        }
    }

    /// The address in its banner.
    fn announced_address(&self) -> Option<SocketAddr> {
        let said = fs::read_to_string(&self.stderr).ok()?;
        let (_, rest) = said.split_once("ws://")?;
        let (address, _) = rest.split_once(char::is_whitespace)?;
        address.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets this process and its children hold both ends of a thousand connections, where the usual soft limit is 1,024.
pub fn raise_descriptor_limit() {
    let limit = rustix::process::getrlimit(Resource::Nofile);
    // Where that is refused, the case that needs it fails and says so.
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// The path after `scheme` in the address of a contestant.
pub fn path_after<'a>(scheme: &str, address: &'a str) -> Option<&'a Path> {
    address.strip_prefix(scheme).map(Path::new)
}
