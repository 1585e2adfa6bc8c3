//! What the page shows, as the JSON of `/api/state`.

use app_server_actors::{
    metrics::{Metrics, state::State},
    protocol::{API_VERSION, diagnostics::DiagnosedConnection},
};
use serde::Serialize;

/// Everything on the page.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Version of this program, and of the protocol that it speaks.
    pub version: [&'static str; 2],
    /// Milliseconds since the Unix epoch.
    pub now_ms: i64,
    /// When the server started, likewise.
    pub started_ms: i64,
    /// Whether new work is taken.
    pub ready: bool,
    /// Whether whoever looks may change something.
    pub may_change: bool,
    /// Actors that did not answer in time; what they know is missing.
    pub silent: Vec<&'static str>,
    /// Figures of now.
    pub gauges: Gauges,
    /// Figures that only grow.
    pub totals: Totals,
    /// The connections, oldest first, up to a bound.
    pub connections: Vec<DiagnosedConnection>,
    /// The loaded threads that are in the database, up to a bound.
    pub threads: Vec<ThreadRow>,
    /// Remote control.
    pub remote: Option<Remote>,
    /// The last lines of the log, oldest first.
    pub log: Vec<String>,
}

/// Figures of now; those of silent actors are null.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gauges {
    connections: Option<Vec<(&'static str, usize)>>,
    pending_bytes: Option<u64>,
    asked: Option<usize>,
    in_flight: usize,
    waiting: usize,
    waiting_bound: usize,
    threads: Option<usize>,
    turns: Option<usize>,
    approvals: Option<usize>,
    inputs: Option<usize>,
    commands: Option<usize>,
    database_bytes: Option<u64>,
    wal_bytes: Option<u64>,
    free_bytes: Option<u64>,
    database_healthy: Option<bool>,
    database_ms: Option<f64>,
    router_ms: Option<f64>,
    resident_bytes: Option<u64>,
    open_files: Option<u64>,
    most_open_files: Option<u64>,
}

/// Figures that only grow.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    requests: u64,
    errors: u64,
    refusals: u64,
    cuts: u64,
    denials: u64,
    turns: u64,
    model_calls: u64,
    model_failures: u64,
    tokens_in: u64,
    tokens_out: u64,
    commits: u64,
    panics: u64,
}

/// A loaded thread.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadRow {
    /// Its id.
    pub id: String,
    /// Its name, or the beginning of its first message.
    pub name: String,
    /// `idle`, `running`, `approval`, `input` or `failed`.
    pub status: &'static str,
    /// Its folder.
    pub cwd: String,
    /// When something was said in it last, in seconds since the Unix epoch.
    pub updated_at: i64,
}

/// Remote control.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Remote {
    /// Its status, as on the wire.
    pub status: &'static str,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Name of this machine as shown to controllers.
    pub server_name: String,
    /// The phones, as the backend told a moment ago.
    pub phones: Vec<Phone>,
}

/// A controller.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phone {
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// When it was seen last, in seconds since the Unix epoch.
    pub last_seen_at: Option<i64>,
}

impl Gauges {
    /// Those of `state`.
    pub fn of(state: &State) -> Self {
        let ms = |name: &str| {
            let (_, took) = state.round_trips.iter().find(|(actor, _)| *actor == name)?;
            took.map(|took| took.as_secs_f64() * 1000.0)
        };
        let (clients, threads) = (state.clients.as_ref(), state.threads);
        let sizes = state.database.as_ref().and_then(|database| database.sizes);
        let processor = state.queues.iter().find(|queue| queue.name == "processor");
        Self {
            connections: clients.map(|it| it.connections.clone()),
            pending_bytes: clients.map(|it| it.pending_bytes),
            asked: clients.map(|it| it.asked),
            in_flight: state.in_flight,
            waiting: processor.and_then(|it| it.length).unwrap_or_default(),
            waiting_bound: processor.map_or(0, |it| it.bound),
            threads: threads.map(|it| it.loaded),
            turns: threads.map(|it| it.working),
            approvals: threads.map(|it| it.waiting_for_approval),
            inputs: threads.map(|it| it.waiting_for_input),
            commands: threads.map(|it| it.commands + state.commands.unwrap_or_default()),
            database_bytes: sizes.map(|it| it.file),
            wal_bytes: sizes.map(|it| it.wal),
            free_bytes: sizes.map(|it| it.free),
            database_healthy: state.database.as_ref().map(|it| it.healthy),
            database_ms: ms("store"),
            router_ms: ms("router"),
            resident_bytes: state.process.resident_bytes,
            open_files: state.process.open_files,
            most_open_files: state.process.most_open_files,
        }
    }
}

impl Totals {
    /// Those of `metrics`, and the panics of `state`.
    pub fn of(metrics: &Metrics, state: &State) -> Self {
        let (mut requests, mut errors) = (0, 0);
        for counted in metrics.requests.counted() {
            requests += counted.count;
            errors += if counted.code == "ok" { 0 } else { counted.count };
        }
        let (mut model_calls, mut model_failures, mut tokens_in, mut tokens_out) = (0, 0, 0, 0);
        metrics.models.each(|_, provider| {
            model_calls += provider.ends.values().sum::<u64>();
            model_failures += provider.ends.get("failed").copied().unwrap_or_default();
            tokens_in += provider.tokens.get("input").copied().unwrap_or_default();
            tokens_out += provider.tokens.get("output").copied().unwrap_or_default();
        });
        Self {
            requests,
            errors,
            refusals: metrics.refusals.total(),
            cuts: metrics.cuts.total(),
            denials: metrics.denials.total(),
            turns: metrics.turns.total(),
            model_calls,
            model_failures,
            tokens_in,
            tokens_out,
            commits: metrics.commits.read().count,
            panics: state.panics,
        }
    }
}

/// Version of this program, and of the protocol that it speaks.
pub const VERSION: [&str; 2] = [env!("CARGO_PKG_VERSION"), API_VERSION];
