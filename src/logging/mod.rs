//! Logs on stderr, as text or as one JSON object a line, with a filter that can be changed while the server runs.

mod json;

use std::sync::{PoisonError, RwLock};

use log::{Metadata, Record, SetLoggerError};

use crate::settings;

/// The logger of the process. It stands in front of `env_logger`, whose own filter is fixed once built.
static LOGGER: Reloadable = Reloadable(RwLock::new(None));

struct Reloadable(RwLock<Option<env_logger::Logger>>);

/// Starts logging as `log` says. Only the first call of a process can succeed.
pub fn start(log: &settings::Log) -> Result<(), SetLoggerError> {
    log::set_logger(&LOGGER)?;
    reload(log);
    Ok(())
}

/// Logs from now on as `log` says.
pub fn reload(log: &settings::Log) {
    let logger = build(log);
    let level = logger.filter();
    *LOGGER.0.write().unwrap_or_else(PoisonError::into_inner) = Some(logger);
    log::set_max_level(level);
}

fn build(log: &settings::Log) -> env_logger::Logger {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&log.filter);
    if log.json {
        builder.format(json::write);
    } else {
        builder.format_timestamp_millis().format_key_values(env_logger::fmt::default_kv_format);
    }
    builder.build()
}

impl Reloadable {
    fn with(&self, use_logger: impl FnOnce(&env_logger::Logger)) {
        if let Some(logger) = self.0.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            use_logger(logger);
        }
    }
}

impl log::Log for Reloadable {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let mut enabled = false;
        self.with(|logger| enabled = logger.enabled(metadata));
        enabled
    }

    fn log(&self, record: &Record<'_>) {
        self.with(|logger| logger.log(record));
    }

    fn flush(&self) {
        self.with(log::Log::flush);
    }
}

#[cfg(test)]
mod tests {
    use log::{Level, Log as _};

    use super::*;

    fn enabled(filter: &str, target: &str, level: Level) -> bool {
        let logger = build(&settings::Log { filter: filter.to_owned(), json: false });
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
        reload(&settings::Log { filter: "info".to_owned(), json: true });
        assert_eq!(log::max_level(), log::LevelFilter::Info);
        reload(&settings::Log { filter: "error".to_owned(), json: false });
        assert_eq!(log::max_level(), log::LevelFilter::Error);
    }
}
