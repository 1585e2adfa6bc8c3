//! Logs on stderr, as text or as one JSON object per line, with a filter that can be changed at run time.
//!
//! Logging never blocks on stderr: lines go through a bounded queue to a separate thread.

mod file;
mod journal;
mod json;
mod panic;
mod queue;
mod recent;
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
use serde::Deserialize;

use self::{
    file::LogFile,
    recent::Recent,
    repeats::{Repeats, Verdict},
    writer::{Direct, QUEUE, Queued},
};
pub use self::{panic::install as catch_panics, writer::finish};

/// The logger of the process. It wraps `env_logger`, whose own filter cannot be changed.
static LOGGER: Reloadable = Reloadable(RwLock::new(None));

/// The recently logged lines.
static REPEATS: Repeats = Repeats::new();

/// The last lines, for whoever wants to see them.
static RECENT: Recent = Recent::new();

struct Reloadable(RwLock<Option<Arc<Loggers>>>);

/// Two loggers of the same format.
struct Loggers {
    /// For all code: never blocks.
    queued: env_logger::Logger,
    /// For the writing thread.
    direct: env_logger::Logger,
    json: bool,
}

/// The settings of logging.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// Levels by module, in the syntax of `RUST_LOG`.
    pub filter: String,
    /// Whether to log one JSON object per line.
    pub json: bool,
    /// Bytes that wait for whoever reads stderr.
    pub queue_bytes: usize,
    /// The file to write to instead of stderr; empty for stderr.
    pub file: String,
    /// Bytes above which a new file is begun.
    pub file_bytes: u64,
    /// Files before it that are kept.
    pub files: usize,
}

/// Why there can be no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file cannot be used.
    #[error("the log file {path}: {error}; name an ordinary file in a folder that exists, or leave it out")]
    File {
        /// As the settings name it.
        path: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The system has no thread left.
    #[error("the thread that writes the log cannot be started: the system has none left")]
    NoThread,
    /// There is a logger already.
    #[error(transparent)]
    Logger(#[from] log::SetLoggerError),
}

/// Starts logging according to `log`. Only the first call in a process can succeed.
///
/// # Errors
/// A logger is set already, the file cannot be opened, or the writing thread cannot be started.
pub fn start(log: &LogSettings) -> Result<(), LogError> {
    file::write_to(open_file(log)?);
    if !writer::start() {
        return Err(LogError::NoThread);
    }
    log::set_logger(&LOGGER)?;
    use_settings(log);
    Ok(())
}

/// Logs according to `log` from now on. The file is opened again, because it may have been moved away.
pub fn reload(log: &LogSettings) {
    match open_file(log) {
        Ok(file) => file::write_to(file),
        Err(error) => log::error!("{error}; the log goes on where it went before"),
    }
    use_settings(log);
}

fn open_file(log: &LogSettings) -> Result<Option<LogFile>, LogError> {
    if log.file.is_empty() {
        return Ok(None);
    }
    // A link stays: what it leads to is renamed.
    let path = std::path::absolute(&log.file).map(|path| path.canonicalize().unwrap_or(path));
    let opened = path.and_then(|path| LogFile::open(&path, log.file_bytes, log.files));
    opened.map(Some).map_err(|error| LogError::File { path: log.file.clone(), error })
}

fn use_settings(log: &LogSettings) {
    QUEUE.set_most_bytes(log.queue_bytes);
    let loggers = Loggers { queued: build(log, Queued), direct: build(log, Direct), json: log.json };
    let level = loggers.queued.filter();
    *LOGGER.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loggers));
    log::set_max_level(level);
}

/// Says something that is no log record, whatever the filter: `text` as it is, or `message` as JSON if the log is JSON.
/// Never blocks.
pub fn say(message: &str, text: &str) {
    say_at(log::Level::Info, message, text);
}

/// The same about an error.
pub fn say_error(message: &str, text: &str) {
    say_at(log::Level::Error, message, text);
}

fn say_at(level: log::Level, message: &str, text: &str) {
    writer::say(if is_json() { json::line(level, message) } else { text.to_owned() });
}

/// Before the settings are read, the environment decides.
fn is_json() -> bool {
    let named = || std::env::var("LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("json"));
    LOGGER.current().map_or_else(named, |loggers| loggers.json)
}

/// Keeps the last `lines` lines of the log from now on.
pub fn keep_recent(lines: usize) {
    RECENT.keep(lines);
}

/// The last lines of the log, oldest first, without colours.
pub fn recent() -> Vec<String> {
    RECENT.read()
}

/// Number of lines dropped since the start because stderr was not read.
pub fn dropped() -> u64 {
    QUEUE.dropped()
}

/// Whether stderr supports colours.
pub fn is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

fn build(log: &LogSettings, to: impl Write + Send + 'static) -> env_logger::Logger {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&log.filter).target(Target::Pipe(Box::new(to)));
    builder.write_style(if is_coloured() && log.file.is_empty() { WriteStyle::Always } else { WriteStyle::Never });
    if log.json {
        builder.format(json::write);
    } else {
        builder.format(text::write);
    }
    builder.build()
}

impl Reloadable {
    /// The lock is not held while the logger is used, because a panic while a line is formatted is logged, too.
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

    fn log(filter: &str, json: bool) -> LogSettings {
        let file = String::new();
        LogSettings { filter: filter.to_owned(), json, queue_bytes: 1000, file, file_bytes: 1, files: 1 }
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
