//! What is asked for when somebody looks at the metrics. Each actor answers with its own part; one that does not answer in
//! time is left out and named.

use std::path::PathBuf;
use std::time::Duration;

/// The state of a server at one moment.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// From the router.
    pub clients: Option<Clients>,
    /// From the registry of threads.
    pub threads: Option<LoadedThreads>,
    /// From the store.
    pub database: Option<DatabaseFiles>,
    /// From the registry of commands: how many run for clients.
    pub commands: Option<usize>,
    /// From remote control: its status, as on the wire.
    pub remote_control: Option<RemoteState>,
    /// How long each actor that was asked took to answer; `None` if it did not in time.
    pub round_trips: Vec<(&'static str, Option<Duration>)>,
    /// Queues of which the length is known, and queues of which only the bound is.
    pub queues: Vec<Queue>,
    /// Requests that were not answered yet, turns that run, and other work that a drain waits for.
    pub in_flight: usize,
    /// Whether new work is refused.
    pub draining: bool,
    /// Panics that were caught in this process.
    pub panics: u64,
    /// The vital actor that ended although it should not.
    pub lost: Option<&'static str>,
    /// The process.
    pub process: Process,
}

/// A queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: &'static str,
    /// What waits in it; `None` if nobody knows.
    pub length: Option<usize>,
    /// What may wait in it.
    pub bound: usize,
}

/// The connections, as the router knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clients {
    /// Open connections by kind of listener.
    pub connections: Vec<(&'static str, usize)>,
    /// Those of them that are initialized.
    pub initialized: usize,
    /// Bytes that are queued for all of them.
    pub pending_bytes: u64,
    /// Bytes that are queued for the one with the most.
    pub most_pending_bytes: u64,
    /// Server requests that wait for an answer.
    pub asked: usize,
    /// Server requests that may wait.
    pub asked_bound: usize,
}

/// The loaded threads, as their registry knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadedThreads {
    /// All of them.
    pub loaded: usize,
    /// Those in which a turn runs.
    pub working: usize,
    /// Those in which a turn waits for a person to allow something.
    pub waiting_for_approval: usize,
    /// Those in which a turn waits for a person's answer to a question.
    pub waiting_for_input: usize,
    /// Shell commands that run.
    pub commands: usize,
}

/// Where the database is; sizes are read by whoever shows them, because that may block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFiles {
    /// The database; `None` for one in memory.
    pub path: Option<PathBuf>,
    /// Writes that wait for their commit.
    pub waiting: usize,
    /// Whether changes can be saved.
    pub healthy: bool,
    /// Filled in later: see [`DatabaseFiles::measure`].
    pub sizes: Option<Sizes>,
}

/// Sizes on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Of the database.
    pub file: u64,
    /// Of its log.
    pub wal: u64,
    /// Free for this user on its disk.
    pub free: u64,
}

impl DatabaseFiles {
    /// Looks at the files. May block.
    pub fn measure(&mut self) {
        let Some(path) = &self.path else { return };
        let size = |path: &std::path::Path| path.metadata().map_or(0, |metadata| metadata.len());
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        let free = rustix::fs::statvfs(path).map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize));
        self.sizes = Some(Sizes { file: size(path), wal: size(wal.as_ref()), free });
    }
}

/// Remote control, as its actor knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteState {
    /// `disabled`, `connecting`, `connected` or `errored`.
    pub status: &'static str,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Name of this machine as shown to controllers.
    pub server_name: String,
}

/// The process, as the system knows it. What the system does not tell is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Resident memory in bytes.
    pub resident_bytes: Option<u64>,
    /// Open file descriptors.
    pub open_files: Option<u64>,
    /// Open file descriptors that it may have.
    pub most_open_files: Option<u64>,
}

/// Most bytes of the file in which the system describes this process.
const STATUS_BYTES: usize = 64 * 1024;

impl Process {
    /// Asks the system. May block.
    pub fn measure() -> Self {
        Self {
            resident_bytes: resident_bytes(),
            open_files: open_files(),
            most_open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).current,
        }
    }
}

/// `VmRSS`, where the system has it.
pub fn resident_bytes() -> Option<u64> {
    let status = plain_file::read_to_string(std::path::Path::new("/proc/self/status"), STATUS_BYTES).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// Without the one that reading them takes.
fn open_files() -> Option<u64> {
    let count = std::fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count).ok().map(|count| count.saturating_sub(1))
}
