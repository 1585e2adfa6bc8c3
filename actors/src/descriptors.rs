//! The open files that commands and watches leave to others: connections, probes, the database. Without them the server
//! could accept nobody until some command ends.

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, getrlimit};

/// The server may open too few more files. The client receives the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server may open too few more files ({most} in all); retry later, or raise its limit (ulimit -n)")]
pub struct TooFew {
    /// The limit of this process.
    most: usize,
}

/// Checks that `needed` files can be opened without the last `reserved`. At most half of all files are reserved.
///
/// # Errors
/// They cannot.
pub fn check(needed: usize, reserved: usize) -> Result<(), TooFew> {
    let limit = getrlimit(Resource::Nofile).current;
    match limit.and_then(|limit| usize::try_from(limit).ok()) {
        Some(most) if !are_free(needed, most - reserved.min(most / 2)) => Err(TooFew { most }),
        _ => Ok(()),
    }
}

/// Whether so many descriptors below `end` are free. The system always assigns the lowest free number, so it is asked
/// for that many.
fn are_free(needed: usize, end: usize) -> bool {
    let Ok(null) = plain_file::open_null() else { return false };
    let is_below = |file: &OwnedFd| usize::try_from(file.as_raw_fd()).is_ok_and(|number| number < end);
    let taken = std::iter::successors(Some(OwnedFd::from(null)), |last| fcntl_dupfd_cloexec(last, 0).ok());
    taken.take_while(is_below).take(needed).collect::<Vec<_>>().len() == needed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_below_the_reserve_count() {
        let mut free = 0..;
        let lowest = OwnedFd::from(plain_file::open_null().unwrap()).as_raw_fd();
        // Other tests open files, too, so the lowest number is only a bound.
        let enough = free.find(|more| are_free(3, usize::try_from(lowest).unwrap() + more)).unwrap();
        assert!(enough < 10_000, "{enough}");
        assert!(!are_free(1, 0), "nothing is below zero");
        assert_eq!(check(1, usize::MAX), Ok(()), "half of all is not reserved");
    }
}
