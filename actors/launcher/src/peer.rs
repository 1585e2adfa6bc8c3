//! Who is at the other end of a Unix socket: a confined command is in a user namespace of its own, and the kernel says so,
//! whatever way the command took to the socket.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{fstat, stat};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::sys;

/// This process's own user namespace.
const OWN: &str = "/proc/self/ns/user";

/// Whether the process that connected to `socket` is in the user namespace of this one. `pid` is its number, for kernels
/// that cannot say more.
///
/// # Errors
/// It cannot be found out, because the process has ended or keeps others from looking; take that for a no.
pub fn is_in_our_namespace(socket: impl AsFd, pid: Option<i32>) -> io::Result<bool> {
    // A kernel without user namespaces has only one.
    let Ok(own) = stat(OWN) else { return Ok(true) };
    let pid = || pid.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("its process cannot be seen from here"));
    let process = match sys::peer_process(socket.as_fd()) {
        Ok(process) => process,
        Err(_) => pidfd_open(pid()?, PidfdFlags::empty())?,
    };
    let theirs = match sys::user_namespace(process.as_fd()) {
        Ok(namespace) => fstat(&namespace)?,
        Err(_) => {
            let namespace = PathBuf::from(format!("/proc/{}/ns/user", pid()?.as_raw_nonzero()));
            let theirs = stat(&namespace);
            // As long as it lives, its number is nobody else's.
            if has_ended(&process)? {
                return Err(io::Error::other("its process has ended"));
            }
            theirs?
        }
    };
    Ok((own.st_dev, own.st_ino) == (theirs.st_dev, theirs.st_ino))
}

fn has_ended(process: &OwnedFd) -> io::Result<bool> {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    Ok(poll(&mut [PollFd::new(process, PollFlags::IN)], Some(&now))? > 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn this_process_is_in_its_own_namespace() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(is_in_our_namespace(&ours, Some(pid)).unwrap());
    }
}
