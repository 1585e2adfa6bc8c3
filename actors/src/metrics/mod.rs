//! What the server counts and measures, for `/metrics`.
//!
//! Events are counted here when they happen. States (how long a queue is, how many turns run) are asked for when somebody
//! looks ([`state`]), so that nothing is counted twice. [`table`] names everything that is shown.
//!
//! Once per request this costs three additions to shared counters and one look at the time; no label is looked up by name.
//!
//! | file | what it is |
//! |---|---|
//! | [`requests`] | answers by transport, method and code, and how long they took |
//! | [`durations`] | a histogram of times |
//! | [`tally`] | a count for each of a few fixed labels |
//! | [`models`] | calls to models, by provider |
//! | [`state`] | what is asked for when somebody looks |
//! | [`table`] | the one table of names, types, labels and help texts |
//! | [`text`] | the table as OpenMetrics text, and as documentation |

pub mod durations;
pub mod models;
pub mod requests;
pub mod state;
pub mod table;
pub mod tally;
pub mod text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use durations::{DISK, Durations, WORK};
use models::Models;
use requests::Requests;
use tally::Tally;

/// Everything that is counted. Made once for each server and shared.
#[derive(Debug)]
pub struct Metrics {
    /// Answers to clients.
    pub requests: Requests,
    /// Connections that were opened, by kind of listener.
    pub opened: Tally,
    /// Connections that ended, by close code.
    pub ended: Tally,
    /// Clients that were cut because of a limit, by cause.
    pub cuts: Tally,
    /// Requests that were answered -32001, by the queue that was full.
    pub refusals: Tally,
    /// Clients that were not let in, by reason.
    pub denials: Tally,
    /// Turns that ended, by how.
    pub turns: Tally,
    /// Calls to models.
    pub models: Models,
    /// How long calls of tools took, by tool.
    tools: Mutex<BTreeMap<&'static str, Durations>>,
    /// How long clients took to answer a server request.
    pub waited: Durations,
    /// How long commits to the database took.
    pub commits: Durations,
    /// How long questions to the database took.
    pub queries: Durations,
    /// Sockets to the remote-control backend that were established.
    pub remote_connections: AtomicU64,
    /// Attempts to establish one that failed.
    pub remote_failures: AtomicU64,
    /// When the server started, in milliseconds since the Unix epoch.
    pub started_ms: i64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(0)
    }
}

impl Metrics {
    /// Nothing is counted yet. `started_ms` is now, in milliseconds since the Unix epoch.
    pub fn new(started_ms: i64) -> Self {
        Self {
            requests: Requests::default(),
            opened: Tally::default(),
            ended: Tally::default(),
            cuts: Tally::default(),
            refusals: Tally::default(),
            denials: Tally::default(),
            turns: Tally::default(),
            models: Models::default(),
            tools: Mutex::default(),
            waited: Durations::new(WORK),
            commits: Durations::new(DISK),
            queries: Durations::new(DISK),
            remote_connections: AtomicU64::new(0),
            remote_failures: AtomicU64::new(0),
            started_ms,
        }
    }

    /// A call of a tool is over. `tool` is one of the server's own names, never the model's word.
    pub fn tool(&self, tool: &'static str, took: Duration) {
        self.lock_tools().entry(tool).or_insert_with(|| Durations::new(WORK)).record(took);
    }

    /// Calls `show` with every tool that was called, and its times.
    pub fn each_tool(&self, mut show: impl FnMut(&str, &Durations)) {
        self.lock_tools().iter().for_each(|(tool, times)| show(tool, times));
    }

    fn lock_tools(&self) -> MutexGuard<'_, BTreeMap<&'static str, Durations>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds one.
pub fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The label of a close code. Peers may choose any number, so those that no standard names share one.
pub fn close_label(code: Option<u16>) -> &'static str {
    match code {
        None => "none",
        Some(1000) => "1000",
        Some(1001) => "1001",
        Some(1002) => "1002",
        Some(1003) => "1003",
        Some(1005) => "1005",
        Some(1007) => "1007",
        Some(1008) => "1008",
        Some(1009) => "1009",
        Some(1011) => "1011",
        Some(1012) => "1012",
        Some(1013) => "1013",
        Some(_) => "other",
    }
}
