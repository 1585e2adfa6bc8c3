//! The launcher's life, from its first instruction.

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

/// The exit code of a launcher that could not do what it was told; what went wrong is in its report.
const FAILED: i32 = 125;

/// The exit code of a command that could not be executed; nobody sees it.
const NOT_EXECUTED: i32 = 127;

/// To be called before anything else in `main`. Where this process was started as a launcher, it does its work and the
/// exit code comes back; `None` where it was started as the server.
///
/// The launcher must have one thread only, which is why this stands before everything else.
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

/// Runs `work` in a process that is confined and the first of its PID namespace; its exit code comes back.
fn enclosed(confinement: &Confinement, control: UnixStream, work: impl FnOnce(UnixStream, Confined) -> i32) -> i32 {
    let inside = match confine::enter_namespaces(confinement).and_then(|()| {
        // Its child, and with it all that is confined, dies with this process, and this process with the server. Where
        // nothing is confined the control socket alone says that the server is gone: a killed supervisor cannot end
        // what it has adopted.
        set_parent_process_death_signal(Some(Signal::KILL)).map_err(NotConfined::because("parent death signal"))?;
        sys::fork().map_err(NotConfined::because("fork"))
    }) {
        Ok(inside) => inside,
        Err(reason) => return refused(&control, &reason),
    };
    if let Some(inside) = inside {
        // The streams and the control socket are the child's alone: an end that this process kept would never close.
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
    // Not back to the caller: what follows there is the other process's.
    std::process::exit(code)
}

fn refused(control: &UnixStream, reason: &NotConfined) -> i32 {
    Report::NotConfined(reason.to_string()).write(control);
    FAILED
}

/// Starts the command and stays with it until nothing of it is left.
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
        // Where somebody kills the supervisor, the command does not go on alone.
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
