//! The first process of a container (process 1 of a PID namespace).
//!
//! The kernel makes it the parent of every process whose own parent has ended, so it must reap them, or they stay forever.
//! A server that did so itself could reap its own children before it has looked at them. So process 1 only reaps and
//! passes signals on, and the program runs in a child.

use std::io;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};

use crate::launch::reset_signals;
use crate::supervise::exit_code;
use crate::sys;

/// Exit code where the child could not be made, or was lost.
const FAILED: i32 = 1;

/// Call this in `main` behind [`crate::run_if_launcher`], before any thread is started. In process 1 it starts the program
/// in a child and returns the child's exit code; everywhere else, and in the child, it returns `None`.
pub fn run_if_init() -> Option<i32> {
    if !getpid().is_init() {
        return None;
    }
    start().transpose().map(|child| child.map_or(FAILED, keep))
}

/// The child, or `None` in it.
fn start() -> io::Result<Option<Pid>> {
    // Otherwise the kernel drops what arrives before it is waited for.
    sys::block_signals()?;
    let child = sys::fork()?;
    if child.is_some() {
        // The standard streams are the child's alone: an end that this process kept would never close.
        let null = plain_file::open_null()?;
        rustix::stdio::dup2_stdin(&null)?;
        rustix::stdio::dup2_stdout(&null)?;
        rustix::stdio::dup2_stderr(&null)?;
    } else {
        reset_signals();
    }
    Ok(child)
}

/// Reaps whatever ends, and passes signals on to `child` until it ends; its exit code comes back.
fn keep(child: Pid) -> i32 {
    loop {
        let signal = sys::next_signal();
        if signal != libc::SIGCHLD {
            if let Some(signal) = Signal::from_named_raw(signal) {
                // It may have ended; then the next signal says so.
                let _ = kill_process(child, signal);
            }
            continue;
        }
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == child => return exit_code(status).unwrap_or(FAILED),
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => break,
                Err(_) => return FAILED,
            }
        }
    }
}
