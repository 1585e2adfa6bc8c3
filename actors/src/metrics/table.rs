//! The table of metrics: one row for each, with its name, type, labels, help text and where its values come from. What
//! `/metrics` shows, what `codex-app-server metrics` prints and what the dashboard may ask for all come from it.

use std::fmt;
use std::sync::atomic::Ordering;

use super::state::State;
use super::text::Samples;
use super::{Metrics, durations::Distribution};

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows. Its name on the wire ends with `_total`.
    Counter,
    /// It goes up and down.
    Gauge,
    /// A distribution. On the wire it is `_bucket`, `_count` and `_sum`.
    Histogram,
    /// Facts in labels; the value is 1. Its name on the wire ends with `_info`.
    Info,
}

/// A row.
pub struct Metric {
    /// The name, with its unit and without the suffix of its kind.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The labels, in the order of their values in samples.
    pub labels: &'static [&'static str],
    /// What it says, with a full stop left out.
    pub help: &'static str,
    /// Writes its samples.
    pub(super) show: Show,
}

/// Writes the samples of a row.
pub(super) type Show = fn(&Metrics, &State, &mut Samples<'_>) -> fmt::Result;

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str, show: Show) -> Metric {
    Metric { name, kind: Kind::Counter, labels, help, show }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str, show: Show) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, help, show }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str, show: Show) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, help, show }
}

/// All metrics of this server.
pub static METRICS: &[Metric] = &[
    // Clients.
    gauge("codex_app_server_connections", &["transport"], "Open connections by kind of listener", |_, state, out| {
        state
            .clients
            .iter()
            .flat_map(|it| &it.connections)
            .try_for_each(|(kind, open)| out.gauge(&[kind], *open as f64))
    }),
    gauge(
        "codex_app_server_connections_initialized",
        &[],
        "Open connections whose handshake is over",
        |_, state, out| state.clients.iter().try_for_each(|it| out.gauge(&[], it.initialized as f64)),
    ),
    counter(
        "codex_app_server_connections_opened",
        &["transport"],
        "Connections that were opened",
        |metrics, _, out| metrics.opened.read().into_iter().try_for_each(|(kind, count)| out.count(&[kind], count)),
    ),
    counter(
        "codex_app_server_connections_closed",
        &["code"],
        "Connections that ended, by the code of the first close frame; none without one",
        |metrics, _, out| metrics.ended.read().into_iter().try_for_each(|(code, count)| out.count(&[code], count)),
    ),
    counter(
        "codex_app_server_slow_consumers",
        &["cause"],
        "Clients that were cut because of a limit",
        |metrics, _, out| metrics.cuts.read().into_iter().try_for_each(|(cause, count)| out.count(&[cause], count)),
    ),
    counter("codex_app_server_auth_failures", &["reason"], "Clients that were not let in", |metrics, _, out| {
        metrics.denials.read().into_iter().try_for_each(|(reason, count)| out.count(&[reason], count))
    }),
    gauge(
        "codex_app_server_outbound_pending_bytes",
        &[],
        "Bytes that wait for clients to read them",
        |_, state, out| state.clients.iter().try_for_each(|it| out.gauge(&[], it.pending_bytes as f64)),
    ),
    gauge(
        "codex_app_server_outbound_pending_most_bytes",
        &[],
        "Bytes that wait for the client with the most of them",
        |_, state, out| state.clients.iter().try_for_each(|it| out.gauge(&[], it.most_pending_bytes as f64)),
    ),
    // Requests.
    counter(
        "codex_app_server_rpc_requests",
        &["transport", "method", "code"],
        "Requests that were answered; code is ok or the number of the error, method is _unknown outside of the table",
        |metrics, _, out| {
            metrics.requests.counted().try_for_each(|it| out.count(&[it.transport, it.method, it.code], it.count))
        },
    ),
    histogram(
        "codex_app_server_rpc_duration_seconds",
        &["method"],
        "From the arrival of a request to its answer",
        |metrics, _, out| metrics.requests.times().try_for_each(|(method, it)| out.histogram(&[method], &it.read())),
    ),
    counter(
        "codex_app_server_rpc_refusals",
        &["reason"],
        "Requests that were answered -32001, by the bound that was reached",
        |metrics, _, out| metrics.refusals.read().into_iter().try_for_each(|(full, count)| out.count(&[full], count)),
    ),
    gauge(
        "codex_app_server_work_in_flight",
        &[],
        "Requests without an answer and turns that run: what a drain waits for",
        |_, state, out| out.gauge(&[], state.in_flight as f64),
    ),
    gauge("codex_app_server_draining", &[], "1 while new work is refused", |_, state, out| {
        out.gauge(&[], f64::from(u8::from(state.draining)))
    }),
    // Queues and actors.
    gauge("codex_app_server_queue_length", &["queue"], "What waits in a queue", |_, state, out| {
        let known = state.queues.iter().filter_map(|queue| Some((queue.name, queue.length?)));
        known.into_iter().try_for_each(|(name, length)| out.gauge(&[name], length as f64))
    }),
    gauge("codex_app_server_queue_bound", &["queue"], "What may wait in a queue", |_, state, out| {
        state.queues.iter().try_for_each(|queue| out.gauge(&[queue.name], queue.bound as f64))
    }),
    gauge(
        "codex_app_server_actor_round_trip_seconds",
        &["actor"],
        "How long an actor took to answer this scrape, which waited in its mailbox like any other message",
        |_, state, out| {
            let answered = state.round_trips.iter().filter_map(|(actor, took)| Some((actor, (*took)?)));
            answered.into_iter().try_for_each(|(actor, took)| out.gauge(&[actor], took.as_secs_f64()))
        },
    ),
    gauge(
        "codex_app_server_actor_silent",
        &["actor"],
        "1 for an actor that did not answer this scrape in time; its figures are missing",
        |_, state, out| {
            let silent = |took: &Option<_>| f64::from(u8::from(took.is_none()));
            state.round_trips.iter().try_for_each(|(actor, took)| out.gauge(&[actor], silent(took)))
        },
    ),
    counter("codex_app_server_panics", &[], "Panics that were caught", |_, state, out| out.count(&[], state.panics)),
    gauge(
        "codex_app_server_actor_lost",
        &["actor"],
        "1 for a vital actor that has ended; the server ends then, too",
        |_, state, out| state.lost.iter().try_for_each(|actor| out.gauge(&[actor], 1.0)),
    ),
    // The database.
    histogram("codex_app_server_db_commit_seconds", &[], "Commits to the database", |metrics, _, out| {
        out.histogram(&[], &metrics.commits.read())
    }),
    histogram(
        "codex_app_server_db_query_seconds",
        &[],
        "Questions to the database, without their commit",
        |metrics, _, out| out.histogram(&[], &metrics.queries.read()),
    ),
    gauge("codex_app_server_db_file_bytes", &[], "Size of the database", |_, state, out| {
        sizes(state).try_for_each(|it| out.gauge(&[], it.file as f64))
    }),
    gauge("codex_app_server_db_wal_bytes", &[], "Size of the log of the database", |_, state, out| {
        sizes(state).try_for_each(|it| out.gauge(&[], it.wal as f64))
    }),
    gauge("codex_app_server_disk_free_bytes", &[], "Free on the disk of the database", |_, state, out| {
        sizes(state).try_for_each(|it| out.gauge(&[], it.free as f64))
    }),
    gauge("codex_app_server_db_healthy", &[], "1 while changes can be saved", |_, state, out| {
        state.database.iter().try_for_each(|it| out.gauge(&[], f64::from(u8::from(it.healthy))))
    }),
    // Threads, turns, models, tools.
    gauge("codex_app_server_threads_loaded", &[], "Threads in memory", |_, state, out| {
        state.threads.iter().try_for_each(|it| out.gauge(&[], it.loaded as f64))
    }),
    gauge("codex_app_server_turns_running", &[], "Turns that run", |_, state, out| {
        state.threads.iter().try_for_each(|it| out.gauge(&[], it.working as f64))
    }),
    counter(
        "codex_app_server_turns",
        &["end"],
        "Turns that ended: completed, interrupted or failed",
        |metrics, _, out| metrics.turns.read().into_iter().try_for_each(|(end, count)| out.count(&[end], count)),
    ),
    gauge(
        "codex_app_server_turns_waiting",
        &["for"],
        "Turns that wait for a person: for an approval, or for an answer to a question",
        |_, state, out| {
            state.threads.iter().try_for_each(|it| {
                out.gauge(&["approval"], it.waiting_for_approval as f64)?;
                out.gauge(&["input"], it.waiting_for_input as f64)
            })
        },
    ),
    gauge(
        "codex_app_server_server_requests_pending",
        &[],
        "Questions to clients without an answer: approvals, and others",
        |_, state, out| state.clients.iter().try_for_each(|it| out.gauge(&[], it.asked as f64)),
    ),
    histogram(
        "codex_app_server_server_request_wait_seconds",
        &[],
        "How long clients took to answer a question: approvals, and others",
        |metrics, _, out| out.histogram(&[], &metrics.waited.read()),
    ),
    gauge(
        "codex_app_server_commands_running",
        &["by"],
        "Commands that run: of clients (command/exec), and of turns",
        |_, state, out| {
            state.commands.iter().try_for_each(|count| out.gauge(&["client"], *count as f64))?;
            state.threads.iter().try_for_each(|it| out.gauge(&["turn"], it.commands as f64))
        },
    ),
    counter(
        "codex_app_server_model_calls",
        &["provider", "end"],
        "Calls to models that ended: answered, failed or stopped",
        |metrics, _, out| {
            out.models(metrics, |name, it, out| {
                it.ends.iter().try_for_each(|(end, count)| out.count(&[name, end], *count))
            })
        },
    ),
    counter(
        "codex_app_server_model_retries",
        &["provider"],
        "Attempts to call a model after one that failed",
        |metrics, _, out| out.models(metrics, |name, it, out| out.count(&[name], it.retries)),
    ),
    counter(
        "codex_app_server_model_tokens",
        &["provider", "kind"],
        "Tokens of calls to models: input, of these cached_input, output, of these reasoning_output",
        |metrics, _, out| {
            out.models(metrics, |name, it, out| {
                it.tokens.iter().try_for_each(|(kind, count)| out.count(&[name, kind], *count))
            })
        },
    ),
    histogram(
        "codex_app_server_model_first_delta_seconds",
        &["provider"],
        "From a request to a model to the first piece of its answer",
        |metrics, _, out| out.models(metrics, |name, it, out| out.histogram(&[name], &it.first.read())),
    ),
    histogram(
        "codex_app_server_tool_seconds",
        &["tool"],
        "Calls of tools; _client, _mcp and _unknown stand for those that are not the server's own",
        |metrics, _, out| {
            let mut tools: Vec<(String, Distribution)> = Vec::new();
            metrics.each_tool(|tool, times| tools.push((tool.to_owned(), times.read())));
            tools.iter().try_for_each(|(tool, times)| out.histogram(&[tool], times))
        },
    ),
    // Remote control.
    gauge(
        "codex_app_server_remote_control_state",
        &["state"],
        "1 for the state of remote control: disabled, connecting, connected or errored",
        |_, state, out| {
            let Some(remote) = &state.remote_control else { return Ok(()) };
            REMOTE_STATES.iter().try_for_each(|it| out.gauge(&[it], f64::from(u8::from(*it == remote.status))))
        },
    ),
    counter(
        "codex_app_server_remote_control_connections",
        &[],
        "Sockets to the remote-control backend that were established; all but the first are reconnects",
        |metrics, _, out| out.count(&[], metrics.remote_connections.load(Ordering::Relaxed)),
    ),
    counter(
        "codex_app_server_remote_control_failures",
        &[],
        "Attempts to connect to the remote-control backend that failed",
        |metrics, _, out| out.count(&[], metrics.remote_failures.load(Ordering::Relaxed)),
    ),
    // The process.
    Metric {
        name: "codex_app_server_build",
        kind: Kind::Info,
        labels: &["version", "api_version"],
        help: "Version of this program, and of the protocol that it speaks",
        show: |_, _, out| out.info(&[env!("CARGO_PKG_VERSION"), crate::protocol::API_VERSION]),
    },
    gauge("process_resident_memory_bytes", &[], "Resident memory", |_, state, out| {
        state.process.resident_bytes.iter().try_for_each(|bytes| out.gauge(&[], *bytes as f64))
    }),
    gauge("process_open_fds", &[], "Open file descriptors", |_, state, out| {
        state.process.open_files.iter().try_for_each(|files| out.gauge(&[], *files as f64))
    }),
    gauge("process_max_fds", &[], "Open file descriptors that the process may have", |_, state, out| {
        state.process.most_open_files.iter().try_for_each(|files| out.gauge(&[], *files as f64))
    }),
    gauge("process_start_time_seconds", &[], "When the server started, since the Unix epoch", |metrics, _, out| {
        out.gauge(&[], metrics.started_ms as f64 / 1000.0)
    }),
];

/// The states of remote control.
const REMOTE_STATES: [&str; 4] = ["disabled", "connecting", "connected", "errored"];

fn sizes(state: &State) -> impl Iterator<Item = super::state::Sizes> {
    state.database.iter().filter_map(|database| database.sizes)
}

impl Metric {
    /// The names under which its samples stand on the wire.
    pub fn names(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.kind {
            Kind::Counter => &["_total"],
            Kind::Gauge => &[""],
            Kind::Histogram => &["_bucket", "_count", "_sum"],
            Kind::Info => &["_info"],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DASHBOARD: &str = include_str!("../../../config/grafana/codex-app-server.json");

    #[test]
    fn the_dashboard_asks_only_for_what_there_is_and_for_every_figure() {
        let known: BTreeSet<String> = METRICS.iter().flat_map(Metric::names).collect();
        let words = DASHBOARD.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let asked: BTreeSet<&str> =
            words.filter(|word| word.starts_with("codex_app_server_") || word.starts_with("process_")).collect();
        for name in &asked {
            assert!(known.contains(*name), "{name} is not in the table");
        }
        let left_out = ["connections_initialized", "connections_opened", "work_in_flight", "draining", "actor_lost"];
        let further = ["db_healthy", "threads_loaded", "server_requests_pending", "commands_running"];
        let last = ["remote_control_connections", "remote_control_failures", "start_time_seconds"];
        let left_out: Vec<_> = left_out.into_iter().chain(further).chain(last).collect();
        for metric in METRICS.iter().filter(|metric| !left_out.iter().any(|name| metric.name.ends_with(name))) {
            assert!(metric.names().iter().any(|name| asked.contains(name.as_str())), "{} is not shown", metric.name);
        }
    }
}
