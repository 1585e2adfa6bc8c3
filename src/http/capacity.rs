//! How many connections the settings and the system allow.

use rustix::process::{Resource, getrlimit};

use crate::settings;

/// Descriptors per connection: its socket, and a duplicate to disconnect it.
const DESCRIPTORS_PER_CONNECTION: usize = 2;

/// Descriptors per connection of the reserve: its own, and those of a connection that was just closed for it.
const DESCRIPTORS_PER_PLACE: usize = 2 * DESCRIPTORS_PER_CONNECTION;

/// Descriptors left to everything but connections: the database, the log, commands, files. A quarter of all, but at
/// least this many.
const LEAST_LEFT_TO_OTHERS: usize = 64;

/// Bounds of connections, computed when a listener starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Maximum number of client connections.
    pub connections: usize,
    /// Connections above that, for probes and refusals.
    pub reserve: usize,
    /// A connection whose descriptor has at least this number belongs to the reserve, whatever uses the others: the
    /// system always assigns the lowest free number.
    pub last_descriptors: Option<usize>,
}

impl Capacity {
    /// The bounds for `settings` and the limit of open files of this process.
    pub fn of(settings: &settings::Http) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        Self::with_files(settings, files.map(|files| usize::try_from(files).unwrap_or(usize::MAX)))
    }

    /// The bounds for a process with up to `files` descriptors; `None` for any number.
    pub fn with_files(settings: &settings::Http, files: Option<usize>) -> Self {
        let (asked, reserve) = (settings.max_connections, settings.reserved_connections);
        let Some(files) = files else { return Self { connections: asked, reserve, last_descriptors: None } };
        let reserve = reserve.min(files / 16).max(1);
        let of_reserve = reserve * DESCRIPTORS_PER_PLACE;
        let left_to_others = (files / 4).max(LEAST_LEFT_TO_OTHERS) + of_reserve;
        let room = files.saturating_sub(left_to_others) / DESCRIPTORS_PER_CONNECTION;
        Self { connections: asked.min(room.max(1)), reserve, last_descriptors: Some(files.saturating_sub(of_reserve)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Effective;

    #[test]
    fn connections_leave_descriptors_to_the_reserve_and_to_others() {
        let settings = Effective::built_in().unwrap().settings().unwrap().http;
        let with = |files| Capacity::with_files(&settings, files);
        let most = settings.max_connections;
        assert_eq!(with(None), Capacity { connections: most, reserve: 32, last_descriptors: None });
        assert_eq!(with(Some(1 << 20)).connections, most);
        assert_eq!(with(Some(1024)), Capacity { connections: 320, reserve: 32, last_descriptors: Some(896) });
        assert_eq!(with(Some(256)), Capacity { connections: 64, reserve: 16, last_descriptors: Some(192) });
        assert_eq!(with(Some(0)), Capacity { connections: 1, reserve: 1, last_descriptors: Some(0) });
    }
}
