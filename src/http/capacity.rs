//! How many connections the settings and the system allow.

use rustix::process::{Resource, getrlimit};

use crate::settings;

/// Descriptors of a connection: its socket, and the one by which it can be cut.
const DESCRIPTORS_PER_CONNECTION: usize = 2;

/// Descriptors of a place in the reserve: as many, and as many again of a connection that has just given way.
const DESCRIPTORS_PER_PLACE: usize = 2 * DESCRIPTORS_PER_CONNECTION;

/// Descriptors that connections leave to everything else: the database, the log, commands, files. A quarter of all, and
/// at least so many.
const LEAST_LEFT_TO_OTHERS: usize = 64;

/// Bounds of connections, derived when a listener starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Connections that clients may have.
    pub connections: usize,
    /// Connections above that, for probes and refusals.
    pub reserve: usize,
    /// A connection whose descriptor has this number or a higher one belongs to the reserve, whoever has taken the
    /// others: the system always gives out the lowest number that is free.
    pub last_descriptors: Option<usize>,
}

impl Capacity {
    /// What `settings` allow to a process that may open as many files as this one.
    pub fn of(settings: &settings::Http) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        Self::with_files(settings, files.map(|files| usize::try_from(files).unwrap_or(usize::MAX)))
    }

    /// The same for a process that may have `files` descriptors; `None` for any number.
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
