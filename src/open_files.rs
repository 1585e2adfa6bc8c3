//! The limit of open files of this process.

use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The variable by which a server tells the next one, which inherits the raised limit, what it was before.
pub const BEFORE: &str = "CODEX_APP_SERVER_OPEN_FILES";

/// The soft limit before it was raised.
static AT_START: OnceLock<Option<u64>> = OnceLock::new();

/// The soft limit that this process was started with, for the commands that it runs: some programs cannot live with a
/// high one. `None` is unlimited.
pub fn at_start() -> Option<u64> {
    let before = || std::env::var(BEFORE).ok().and_then(|files| files.parse().ok());
    *AT_START.get_or_init(|| before().or(getrlimit(Resource::Nofile).current))
}

/// Raises the soft limit to the hard limit. A failure is logged; the server then serves fewer clients.
pub fn raise_limit() {
    at_start();
    let before = getrlimit(Resource::Nofile);
    if before.current == before.maximum {
        return;
    }
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => {
            log::info!("raised the limit of open files from {} to {}", show(before.current), show(before.maximum))
        }
        Err(error) => log::warn!("the limit of open files stays at {}: {error}", show(before.current)),
    }
}

fn show(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise_limit();
        let now = getrlimit(Resource::Nofile);
        assert_eq!(now.current, now.maximum);
    }
}
