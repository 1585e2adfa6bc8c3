//! The table of metrics as text: with values in the format of OpenMetrics, and without as documentation.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Metrics;
use super::durations::Distribution;
use super::models::Provider;
use super::state::State;
use super::table::{Kind, METRICS, Metric};

/// The media type of [`openmetrics`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All metrics with their values now. Takes about a tenth of a millisecond, so call it off the hub.
pub fn openmetrics(metrics: Arc<Metrics>, state: State) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape { metrics, state }));
    let mut text = String::new();
    if encode(&mut text, &registry).is_err() {
        log::error!("the metrics cannot be written as text");
    }
    text
}

/// The table as Markdown.
pub fn documentation() -> String {
    let mut text = String::from("| name | type | labels | what it says |\n|---|---|---|---|\n");
    for metric in METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, kind, help) = (metric.shown(), metric.kind.name(), metric.help);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{name}` | {kind} | {} | {help} |", labels.join(", "));
    }
    text
}

impl Metric {
    /// The name by which queries ask for it.
    fn shown(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
            Kind::Gauge | Kind::Histogram => self.name.to_owned(),
        }
    }
}

impl Kind {
    /// As OpenMetrics calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }

    fn metric_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
            Self::Info => MetricType::Info,
        }
    }
}

/// What one answer to `/metrics` shows.
#[derive(Debug)]
struct Scrape {
    metrics: Arc<Metrics>,
    state: State,
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        METRICS.iter().try_for_each(|metric| {
            let encoder = encoder.encode_descriptor(metric.name, metric.help, None, metric.kind.metric_type())?;
            (metric.show)(&self.metrics, &self.state, &mut Samples { encoder, metric })
        })
    }
}

/// Writes the samples of one metric.
pub(super) struct Samples<'a> {
    encoder: MetricEncoder<'a>,
    metric: &'static Metric,
}

impl Samples<'_> {
    /// A sample of a counter.
    pub(super) fn count(&mut self, labels: &[&str], count: u64) -> fmt::Result {
        self.with(labels, |encoder| encoder.encode_counter::<NoLabelSet, u64, u64>(&count, None))
    }

    /// A sample of a gauge.
    pub(super) fn gauge(&mut self, labels: &[&str], value: f64) -> fmt::Result {
        self.with(labels, |encoder| encoder.encode_gauge(&value))
    }

    /// The samples of a histogram.
    pub(super) fn histogram(&mut self, labels: &[&str], it: &Distribution) -> fmt::Result {
        self.with(labels, |encoder| encoder.encode_histogram::<NoLabelSet>(it.sum, it.count, &it.buckets, None))
    }

    /// Facts.
    pub(super) fn info(&mut self, labels: &[&str]) -> fmt::Result {
        let labels: Vec<(&str, &str)> = self.metric.labels.iter().copied().zip(labels.iter().copied()).collect();
        self.encoder.encode_info(&labels)
    }

    /// Calls `show` with every provider of models, until it fails.
    pub(super) fn models(
        &mut self,
        metrics: &Metrics,
        mut show: impl FnMut(&str, &Provider, &mut Self) -> fmt::Result,
    ) -> fmt::Result {
        let mut shown = Ok(());
        metrics.models.each(|name, provider| {
            if shown.is_ok() {
                shown = show(name, provider, self);
            }
        });
        shown
    }

    fn with(&mut self, labels: &[&str], write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result) -> fmt::Result {
        let names = self.metric.labels;
        debug_assert_eq!(names.len(), labels.len(), "{}", self.metric.name);
        if names.is_empty() {
            return write(&mut self.encoder);
        }
        let labels: Vec<(&str, &str)> = names.iter().copied().zip(labels.iter().copied()).collect();
        write(&mut self.encoder.encode_family(&labels)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::metrics::requests::Transport;
    use crate::metrics::state::{Clients, DatabaseFiles, LoadedThreads, Process, Queue, RemoteState, Sizes};
    use crate::protocol::ErrorCode;
    use crate::protocol::model::TokenUsage;

    /// A server of which everything is known.
    fn all() -> String {
        let metrics = Metrics::new(1_000);
        for tally in
            [&metrics.opened, &metrics.ended, &metrics.cuts, &metrics.refusals, &metrics.denials, &metrics.turns]
        {
            tally.add("one");
        }
        metrics.requests.refused(Transport::Stdio, None, ErrorCode::Parse);
        metrics.models.ended("echo", "answered");
        metrics.models.used("echo", &TokenUsage::estimated(4, 4));
        metrics.models.began("echo", Duration::from_millis(1));
        metrics.tool("exec_command", Duration::from_millis(1));
        let state = State {
            clients: Some(Clients { connections: vec![("unix", 2)], ..Clients::default() }),
            threads: Some(LoadedThreads::default()),
            database: Some(DatabaseFiles { sizes: Some(Sizes::default()), ..DatabaseFiles::default() }),
            commands: Some(1),
            remote_control: Some(RemoteState { status: "connected", last_error: None, server_name: String::new() }),
            round_trips: vec![("router", Some(Duration::from_micros(1))), ("store", None)],
            queues: vec![Queue { name: "processor", length: Some(3), bound: 128 }],
            lost: Some("store"),
            process: Process { resident_bytes: Some(1), open_files: Some(2), most_open_files: Some(3) },
            ..State::default()
        };
        openmetrics(Arc::new(metrics), state)
    }

    #[test]
    fn what_is_shown_has_the_names_types_and_labels_of_the_table() {
        let text = all();
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let metric = METRICS.iter().find(|metric| metric.names().iter().any(|known| known == name));
            let metric = metric.unwrap_or_else(|| panic!("{name} is not in the table"));
            for label in metric.labels {
                assert!(line.contains(&format!("{label}=\"")), "{line} lacks {label}");
            }
            seen.insert(metric.name);
        }
        for metric in METRICS.iter().filter(|metric| metric.name != "codex_app_server_rpc_duration_seconds") {
            assert!(seen.contains(metric.name), "{} has no sample", metric.name);
            assert!(text.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind.name())), "{}", metric.name);
        }
    }

    #[test]
    fn names_follow_the_rules_of_prometheus() {
        let mut names = BTreeSet::new();
        for metric in METRICS {
            assert!(names.insert(metric.name), "{} stands twice in the table", metric.name);
            assert!(metric.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", metric.name);
            assert!(!["_total", "_info", "_milliseconds", "_ms"].iter().any(|end| metric.name.ends_with(end)));
            assert!(!metric.help.ends_with('.') && !metric.help.contains(['|', '\n']), "{}", metric.help);
            assert!(metric.kind != Kind::Histogram || metric.name.ends_with("_seconds"), "{}", metric.name);
        }
    }

    #[test]
    fn the_documentation_has_a_line_for_each_metric() {
        let text = documentation();
        assert_eq!(text.lines().count(), METRICS.len() + 2);
        assert!(text.contains("| `codex_app_server_connections_opened_total` | counter | `transport` |"), "{text}");
    }
}
