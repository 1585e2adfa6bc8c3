//! The first process of a container: it passes signals on to the server, and reaps what others leave behind. A process that
//! loses its parent becomes a child of the first one, which has to wait for it, or it stays as a zombie.

use std::{
    io,
    process::{Child, Command},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, wait},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{exit, logging, succession::UNDER_FIRST};

/// What is passed on.
const PASSED_ON: [Signal; 7] =
    [Signal::TERM, Signal::INT, Signal::QUIT, Signal::HUP, Signal::USR1, Signal::USR2, Signal::WINCH];

/// If this is the first process: runs the same program again as its child, to the end. Returns the exit code.
pub fn run_if_first() -> Option<i32> {
    if !getpid().is_init() {
        return None;
    }
    Some(run().unwrap_or_else(|error| {
        logging::say_error(&error.to_string(), &format!("Error: the server cannot be started: {error}\n"));
        exit::FAILED
    }))
}

fn run() -> io::Result<i32> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the server, so that no signal is missed.
        let mut ended = signal(SignalKind::child())?;
        let passed_on = PASSED_ON.map(|number| signal(SignalKind::from_raw(number.as_raw())).map(|it| (number, it)));
        let mut words = std::env::args_os();
        words.next();
        let server = Command::new("/proc/self/exe").args(words).env(UNDER_FIRST, "1").spawn()?;
        let id = Pid::from_child(&server);
        for signals in passed_on {
            let (number, mut signals) = signals?;
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    // It may be ending.
                    let _ = kill_process(id, number);
                }
            });
        }
        loop {
            if let Some(status) = reap(&server) {
                return Ok(code(status));
            }
            ended.recv().await;
        }
    })
}

/// Waits for every child that has ended. Returns the status of the server if it is one of them.
fn reap(server: &Child) -> Option<WaitStatus> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((id, status))) if id == Pid::from_child(server) => return Some(status),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return None,
        }
    }
}

/// As shells do: 128 and the number of the signal.
fn code(status: WaitStatus) -> i32 {
    status.exit_status().unwrap_or_else(|| 128 + status.terminating_signal().unwrap_or_default())
}
