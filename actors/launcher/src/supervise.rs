//! Waits for a command, signals it, and ends the processes that it leaves behind.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpgid, getpid, kill_process, kill_process_group, pidfd_open,
    pidfd_send_signal, wait, waitpid,
};

use crate::control::Control;

/// Time for remaining processes to end by themselves: the last stage of a pipeline may still have to write its output.
const LINGER: Duration = Duration::from_millis(100);

/// Interval between reaping orphans while the command runs.
const REAP: Duration = Duration::from_secs(1);

/// Interval between checks for the end of killed processes.
const KILLED: Duration = Duration::from_millis(2);

/// How long to wait for processes that cannot be killed (those of another user, or hanging in the kernel).
const STUBBORN: Duration = Duration::from_secs(5);

/// Exit code after signal N is this + N, as in shells.
const SIGNALLED: i32 = 128;

/// Waits until the child `command` and everything that it started have ended, and returns its exit code. A closed
/// `control` socket means that the server is gone, and ends everything.
pub fn supervise(command: Pid, control: &UnixStream) -> i32 {
    let watch = pidfd_open(command, PidfdFlags::empty()).ok();
    let mut ended = None;
    while ended.is_none() {
        match hear(watch.as_ref(), control) {
            Some(Control::Terminate) => terminate(command),
            Some(Control::Kill) => kill_descendants(),
            None => {}
        }
        while let Some((pid, code)) = reap() {
            if pid == command {
                ended = Some(code);
            }
        }
    }
    linger();
    end_descendants();
    ended.unwrap_or_default()
}

/// Waits for the child `pid`, and kills it when the process `server` ends first; its exit code comes back.
pub fn keep(pid: Pid, server: Option<&OwnedFd>) -> i32 {
    let child = pidfd_open(pid, PidfdFlags::empty()).ok();
    if let (Some(child), Some(server)) = (&child, server) {
        let mut watched = [PollFd::new(child, PollFlags::IN), PollFd::new(server, PollFlags::IN)];
        while matches!(poll(&mut watched, None), Err(Errno::INTR)) {}
        if watched[0].revents().is_empty() {
            // It may be ending by itself.
            let _ = pidfd_send_signal(child, Signal::KILL);
        }
    }
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, status))) => return exit_code(status).unwrap_or_default(),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return SIGNALLED + error.raw_os_error(),
        }
    }
}

/// Waits until the server sends an order, the command ends, or it is time to reap.
///
/// A kernel before 5.3 cannot watch a process; then `watch` is `None`, and the end is polled.
fn hear(watch: Option<&OwnedFd>, mut control: &UnixStream) -> Option<Control> {
    let timeout = Timespec::try_from(if watch.is_some() { REAP } else { KILLED }).ok()?;
    let mut watched = vec![PollFd::new(control, PollFlags::IN)];
    watched.extend(watch.map(|watch| PollFd::new(watch, PollFlags::IN)));
    poll(&mut watched, Some(&timeout)).ok()?;
    let mut byte = [0];
    match (!watched[0].revents().is_empty()).then(|| control.read(&mut byte))? {
        Ok(1) if byte[0] == Control::Terminate.byte() => Some(Control::Terminate),
        // Anything else, such as the end of the socket, ends everything.
        _ => Some(Control::Kill),
    }
}

/// The next child that has ended, with its exit code.
fn reap() -> Option<(Pid, i32)> {
    let (pid, status) = wait(WaitOptions::NOHANG).ok()??;
    exit_code(status).map(|code| (pid, code))
}

/// The exit code that tells of this end.
pub fn exit_code(status: WaitStatus) -> Option<i32> {
    status.exit_status().or_else(|| status.terminating_signal().map(|signal| SIGNALLED + signal))
}

fn terminate(command: Pid) {
    signal_group(command, Signal::TERM);
    for pid in descendants(getpid()) {
        if getpgid(Some(pid)) != Ok(command) {
            signal(pid, Signal::TERM);
        }
    }
    // A stopped process does not receive the signal before it continues.
    signal_group(command, Signal::CONT);
}

fn linger() {
    let until = Instant::now() + LINGER;
    while Instant::now() < until && has_children() {
        std::thread::sleep(KILLED);
    }
}

/// Ends the remaining processes. In a PID namespace the kernel would do it, too, when this process ends.
fn end_descendants() {
    let until = Instant::now() + STUBBORN;
    while has_children() && Instant::now() < until {
        kill_descendants();
        std::thread::sleep(KILLED);
    }
}

/// Reaps ended children; false if none are left.
fn has_children() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

fn kill_descendants() {
    kill_below(getpid());
}

/// Kills all that `ancestor` has started, and what that has started, as far as it was not adopted by somebody else.
pub fn kill_below(ancestor: Pid) {
    for pid in descendants(ancestor) {
        signal(pid, Signal::KILL);
    }
}

fn signal(pid: Pid, signal: Signal) {
    // It may have ended a moment ago.
    let _ = kill_process(pid, signal);
}

fn signal_group(group: Pid, signal: Signal) {
    // The same.
    let _ = kill_process_group(group, signal);
}

/// Everything below `ancestor`. A supervisor adopts orphans, so nothing gets away from it.
fn descendants(ancestor: Pid) -> Vec<Pid> {
    let children = children_by_parent().unwrap_or_default();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        found.extend(children.get(&parent.as_raw_nonzero().get()).into_iter().flatten());
        next += 1;
    }
    found.split_off(1)
}

/// Bytes of `/proc/PID/stat`: some fifty numbers and a short name.
const LONGEST_STAT: usize = 8192;

fn children_by_parent() -> io::Result<HashMap<i32, Vec<Pid>>> {
    let mut children = HashMap::<i32, Vec<Pid>>::new();
    for entry in fs::read_dir("/proc")?.flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid
            && let Some(parent) =
                plain_file::read_to_string(&entry.path().join("stat"), LONGEST_STAT).ok().as_deref().and_then(parent)
        {
            children.entry(parent).or_default().push(pid);
        }
    }
    Ok(children)
}

/// The parent in a line of `/proc/PID/stat`: the second field behind the name, which is in parentheses and may contain
/// anything.
fn parent(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_look_like_anything() {
        assert_eq!(parent("12 (sh) S 7 12 12"), Some(7));
        assert_eq!(parent("12 (a) S 1 (b) R 7 12"), Some(7));
        assert_eq!(parent("garbage"), None);
    }
}
