//! Logs on stderr, as text or as one JSON object a line, with a filter that can be changed while the server runs.
//!
//! Nothing here ever waits for whoever reads stderr: lines go through a bounded queue to a thread of their own.

mod json;
mod panic;
mod queue;
mod repeats;
mod text;
mod writer;

use std::{
    io::{self, IsTerminal as _, Write},
    sync::{Arc, PoisonError, RwLock},
    time::Instant,
};

use env_logger::{Target, WriteStyle};
use log::{Metadata, Record};

pub use self::writer::{finish, say};
use self::{
    repeats::{Repeats, Verdict},
    writer::{Direct, QUEUE, Queued},
};
use crate::settings;

/// The logger of the process. It stands in front of `env_logger`, whose own filter is fixed once built.
static LOGGER: Reloadable = Reloadable(RwLock::new(None));

/// What was logged lately.
static REPEATS: Repeats = Repeats::new();

struct Reloadable(RwLock<Option<Arc<Loggers>>>);

/// Two loggers of one form.
struct Loggers {
    /// For everybody: never waits.
    queued: env_logger::Logger,
    /// For the thread that writes.
    direct: env_logger::Logger,
}

/// Starts logging as `log` says, panics included. Only the first call of a process can succeed.
///
/// # Errors
/// A logger was set before, or the system has no thread left for the one that writes.
pub fn start(log: &settings::Log) -> io::Result<()> {
    if !writer::start() {
        return Err(io::Error::other("the thread that writes the log cannot be started: the system has none left"));
    }
    log::set_logger(&LOGGER).map_err(io::Error::other)?;
    reload(log);
    panic::install();
    Ok(())
}

/// Logs from now on as `log` says.
pub fn reload(log: &settings::Log) {
    QUEUE.set_most_bytes(log.queue_bytes);
    let loggers = Loggers { queued: build(log, Queued), direct: build(log, Direct) };
    let level = loggers.queued.filter();
    *LOGGER.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loggers));
    log::set_max_level(level);
}

/// How many lines were dropped since the start, because nobody has read stderr.
pub fn dropped() -> u64 {
    QUEUE.dropped()
}

/// True where escape sequences for colours are of use on stderr.
pub fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn build(log: &settings::Log, to: impl Write + Send + 'static) -> env_logger::Logger {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&log.filter).target(Target::Pipe(Box::new(to)));
    builder.write_style(if is_coloured() { WriteStyle::Always } else { WriteStyle::Never });
    if log.json {
        builder.format(json::write);
    } else {
        builder.format(text::write);
    }
    builder.build()
}

impl Reloadable {
    /// Not held while it is used: a panic while a line is formatted is logged as well.
    fn current(&self) -> Option<Arc<Loggers>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl log::Log for Reloadable {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.current().is_some_and(|loggers| loggers.queued.enabled(metadata))
    }

    fn log(&self, record: &Record<'_>) {
        let Some(loggers) = self.current().filter(|loggers| loggers.queued.matches(record)) else { return };
        match REPEATS.judge(record, Instant::now()) {
            Verdict::Write => loggers.queued.log(record),
            Verdict::HoldBack => {}
            Verdict::HoldBackFirst => QUEUE.wake(),
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use log::{Level, Log as _};

    use super::*;

    fn log(filter: &str, json: bool) -> settings::Log {
        settings::Log { filter: filter.to_owned(), json, queue_bytes: 1000 }
    }

    fn enabled(filter: &str, target: &str, level: Level) -> bool {
        let logger = build(&log(filter, false), io::sink());
        logger.enabled(&Metadata::builder().target(target).level(level).build())
    }

    #[test]
    fn the_filter_has_the_syntax_of_rust_log() {
        assert!(enabled("error", "any", Level::Error));
        assert!(!enabled("error", "any", Level::Warn));
        assert!(enabled("warn,app_server_actors=debug", "app_server_actors::hub", Level::Debug));
        assert!(!enabled("warn,app_server_actors=debug", "actix_server", Level::Info));
    }

    #[test]
    fn a_reload_changes_the_level_of_the_process() {
        reload(&log("info", true));
        assert_eq!(log::max_level(), log::LevelFilter::Info);
        reload(&log("error", false));
        assert_eq!(log::max_level(), log::LevelFilter::Error);
    }
}
