//! The launcher, from its first instruction.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Signal, getpid, ioctl_tiocsctty, set_child_subreaper, set_parent_process_death_signal, setsid,
};

use crate::confine::{self, Confined, NotConfined};
use crate::control::{self, ROLE, Report};
use crate::order::{Confinement, Exec, Order};
use crate::{supervise, sys};

/// Exit code of a launcher that failed; the cause is in its report.
const FAILED: i32 = 125;

/// Exit code of a command that could not be executed; it is never reported.
const NOT_EXECUTED: i32 = 127;

/// Call this first in `main`. If this process was started as a launcher, runs it and returns its exit code; otherwise
/// returns `None`.
///
/// The launcher must be single-threaded, so this comes first.
pub fn run_if_launcher() -> Option<i32> {
    control::know_role();
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next().as_deref() == Some(OsStr::new(ROLE))).then(|| run().unwrap_or(FAILED))
}

fn run() -> io::Result<i32> {
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(plain_file::open_null()?)?;
    sys::close_others_on_exec();
    match control::receive(&control)? {
        (Order::Probe, streams) => {
            drop(streams);
            let read_only = Confinement::default();
            Ok(enclosed(&read_only, control, |control, confined| {
                Report::Gaps(confined.gaps).write(&control);
                0
            }))
        }
        (Order::Exec(mut exec), streams) => match exec.confinement.take() {
            None => {
                set_child_subreaper(Some(getpid()))?;
                Ok(run_command(&exec, streams, control))
            }
            Some(confinement) => Ok(enclosed(&confinement, control, |control, _| run_command(&exec, streams, control))),
        },
    }
}

/// Runs `work` in a confined process, the first of its PID namespace, and returns its exit code.
fn enclosed(confinement: &Confinement, control: UnixStream, work: impl FnOnce(UnixStream, Confined) -> i32) -> i32 {
    let inside = match confine::enter_namespaces(confinement).and_then(|()| {
        // The child, and with it everything confined, dies with this process, and this process dies with the server.
        // Without confinement only the control socket shows that the server is gone, because a killed supervisor cannot
        // end the processes that it has adopted.
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(NotConfined::because("parent death signal"))?;
        sys::fork().map_err(NotConfined::because("fork"))
    }) {
        Ok(inside) => inside,
        Err(reason) => return refused(&control, &reason),
    };
    if let Some(inside) = inside {
        // The streams and the control socket belong to the child: an end that this process kept open would never close.
        drop(work);
        drop(control);
        return supervise::wait_for(inside);
    }
    let confined = set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(NotConfined::because("parent death signal"))
        .and_then(|()| confine::confine(confinement));
    let code = match confined {
        Ok(confined) => work(control, confined),
        Err(reason) => refused(&control, &reason),
    };
    // Exit here: the code after the caller belongs to the other process.
    std::process::exit(code)
}

fn refused(control: &UnixStream, reason: &NotConfined) -> i32 {
    Report::NotConfined(reason.to_string()).write(control);
    FAILED
}

/// Starts the command and waits until all its processes have ended.
fn run_command(exec: &Exec, streams: [OwnedFd; 3], control: UnixStream) -> i32 {
    match start(exec, streams) {
        Ok(command) => {
            Report::Started.write(&control);
            supervise::supervise(command, &control)
        }
        Err(error) => {
            Report::NotStarted(error.to_string()).write(&control);
            FAILED
        }
    }
}

fn start(exec: &Exec, streams: [OwnedFd; 3]) -> io::Result<Pid> {
    let (failure, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    let Some(pid) = sys::fork()? else {
        let error = execute(exec, &streams);
        let code = error.raw_os_error().unwrap_or_default();
        // The parent reads these four bytes, or sees the pipe close when the program is executed.
        let _ = File::from(tell).write_all(&code.to_ne_bytes());
        std::process::exit(NOT_EXECUTED)
    };
    drop((streams, tell));
    let mut code = Vec::new();
    File::from(failure).read_to_end(&mut code)?;
    match <[u8; 4]>::try_from(code) {
        Ok(code) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(code))),
        Err(_) => Ok(pid),
    }
}

/// Becomes the command. Returns only on failure.
fn execute(exec: &Exec, [stdin, stdout, stderr]: &[OwnedFd; 3]) -> io::Error {
    let prepared = || -> io::Result<()> {
        // If the supervisor is killed, the command must not go on alone.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        setsid()?;
        if exec.terminal {
            ioctl_tiocsctty(stdin)?;
        }
        rustix::stdio::dup2_stdin(stdin)?;
        rustix::stdio::dup2_stdout(stdout)?;
        rustix::stdio::dup2_stderr(stderr)?;
        std::env::set_current_dir(&exec.cwd)
    };
    if let Err(error) = prepared() {
        return error;
    }
    let Some((program, arguments)) = exec.argv.split_first() else {
        return io::Error::from(io::ErrorKind::InvalidInput);
    };
    Command::new(program).args(arguments).env_clear().envs(exec.env.iter().map(|(name, value)| (name, value))).exec()
}
