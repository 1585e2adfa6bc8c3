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
    Pid, PidfdFlags, Resource, Rlimit, Signal, getegid, geteuid, getpid, getppid, getrlimit, ioctl_tiocsctty,
    pidfd_open, set_child_subreaper, set_parent_process_death_signal, setrlimit, setsid,
};

use crate::confine::{self, Confined, NotConfined, Plan};
use crate::control::{self, ROLE, Report};
use crate::expendable::Expendable;
use crate::order::{Bounds, Confinement, Exec, Order};
use crate::sys::Disposition;
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

/// Undoes what the parent of this process may have chosen for its signals: none is blocked, and the end of a child can be
/// waited for. Call it before any thread is started.
pub fn reset_signals() {
    sys::dispose([libc::SIGCHLD].into_iter(), Disposition::Default);
    // It fails for an unknown operation only.
    let _ = sys::unblock_signals();
}

fn run() -> io::Result<i32> {
    reset_signals();
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(plain_file::open_null()?)?;
    sys::close_others_on_exec();
    // A signal for the server's group, such as Ctrl-C, is the server's business. This process is in a group of its own since
    // before its first instruction, and the command gets a session of its own, too.
    match control::receive(&control)? {
        (Order::Probe { home }, streams) => {
            drop(streams);
            confine::sweep(&home);
            let read_only = Confinement { home: Some(home), ..Confinement::default() };
            Ok(enclosed(&read_only, None, control, |control, confined| {
                Report::Gaps(confined.gaps).write(&control);
                0
            }))
        }
        (Order::Exec(mut exec), streams) => match exec.confinement.take() {
            None => {
                set_child_subreaper(Some(getpid()))?;
                Ok(run_command(&exec, streams, control, Expendable::new()))
            }
            Some(confinement) => {
                // Where the directory is, and not where a link points to that is exchanged later.
                if !exec.cwd_is_real {
                    exec.cwd = confine::resolve(&exec.cwd).map_or(exec.cwd, |pinned| pinned.path);
                }
                let shm_bytes = exec.bounds.shm_bytes;
                Ok(enclosed(&confinement, shm_bytes, control, |control, confined| {
                    run_command(&exec, streams, control, confined.expendable)
                }))
            }
        },
    }
}

/// Runs `work` in a process that is confined and the first of its PID namespace; its exit code comes back.
fn enclosed(
    confinement: &Confinement,
    shm_bytes: Option<u64>,
    control: UnixStream,
    work: impl FnOnce(UnixStream, Confined) -> i32,
) -> i32 {
    let mut plan = match Plan::of(confinement) {
        Ok(plan) => plan,
        Err(reason) => return refused(&control, &reason),
    };
    // By the time that anybody looks, it may be another process's number; then the control socket has been closed.
    let server = getppid().and_then(|server| pidfd_open(server, PidfdFlags::empty()).ok());
    let (uid, gid) = (geteuid(), getegid());
    match sys::fork_into(confine::namespaces(&plan)) {
        Err(error) => {
            plan.clear();
            if error.kind() == io::ErrorKind::WouldBlock {
                Report::NotStarted(error.to_string()).write(&control);
                return FAILED;
            }
            let step = match error.kind() {
                // Its text says that a device has no space left.
                io::ErrorKind::StorageFull => "the limit of namespaces is reached (sysctl user.max_user_namespaces)",
                _ => "the kernel refuses new namespaces to this user",
            };
            refused(&control, &NotConfined::because(step)(error))
        }
        Ok(Some(inside)) => {
            // The streams and the control socket are the child's alone: an end that this process kept would never close.
            drop(work);
            drop(control);
            // What is left to do here must be done, however the server is ended.
            sys::dispose([libc::SIGTERM, libc::SIGINT, libc::SIGHUP].into_iter(), Disposition::Ignore);
            let code = supervise::keep(inside, server.as_ref());
            plan.clear();
            code
        }
        Ok(None) => {
            drop(server);
            // It, and with it all that is confined, dies with the process outside, which in turn ends it when the server is
            // gone.
            let confined = set_parent_process_death_signal(Some(Signal::KILL))
                .map_err(NotConfined::because("parent death signal"))
                .and_then(|()| confine::become_user(uid, gid))
                .and_then(|()| confine::confine(plan, shm_bytes));
            let code = match confined {
                Ok(confined) => work(control, confined),
                Err(reason) => refused(&control, &reason),
            };
            // Not back to the caller: what follows there is the other process's.
            std::process::exit(code)
        }
    }
}

fn refused(control: &UnixStream, reason: &NotConfined) -> i32 {
    Report::NotConfined(reason.to_string()).write(control);
    FAILED
}

/// Starts the command and stays with it until nothing of it is left.
fn run_command(exec: &Exec, streams: [OwnedFd; 3], control: UnixStream, expendable: Option<Expendable>) -> i32 {
    match start(exec, streams, expendable) {
        Ok(command) => {
            Report::Started.write(&control);
            supervise::supervise(command, &control)
        }
        Err(reason) => {
            Report::NotStarted(reason.text(exec)).write(&control);
            FAILED
        }
    }
}

/// Why a command was not started.
struct NotStarted {
    about: About,
    error: io::Error,
}

/// What the system refused.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum About {
    /// Something that is nobody's choice, such as another process.
    System,
    Directory,
    Program,
}

/// Characters of a path that are told. The whole report is bounded.
const TOLD: usize = 512;

impl NotStarted {
    fn of(about: About) -> impl Fn(io::Error) -> Self {
        move |error| Self { about, error }
    }

    /// The text of the operating system, and what it is about.
    fn text(&self, exec: &Exec) -> String {
        let told = |path: &OsStr| path.to_string_lossy().chars().take(TOLD).collect::<String>();
        match self.about {
            About::System => self.error.to_string(),
            About::Directory => format!("{}: the working directory `{}`", self.error, told(exec.cwd.as_os_str())),
            About::Program => {
                let name = exec.argv.first().map_or(OsStr::new(""), |name| name);
                // A program whose file is there lacks the one that its first line or its header names.
                let is_path = name.as_encoded_bytes().contains(&b'/');
                let lacks_another =
                    self.error.kind() == io::ErrorKind::NotFound && is_path && exec.cwd.join(name).exists();
                let what = if lacks_another { "the interpreter of the program" } else { "the program" };
                format!("{}: {what} `{}`", self.error, told(name))
            }
        }
    }
}

impl<E: Into<io::Error>> From<E> for NotStarted {
    fn from(error: E) -> Self {
        Self { about: About::System, error: error.into() }
    }
}

/// Takes its bounds upon this process, and all that it starts.
fn bound(bounds: &Bounds) -> io::Result<()> {
    let limits = [
        (Resource::Nofile, bounds.open_files),
        (Resource::Nproc, bounds.processes),
        (Resource::Data, bounds.memory_bytes),
    ];
    for (resource, bound) in limits {
        let Some(bound) = bound else { continue };
        let maximum = getrlimit(resource).maximum;
        let current = Some(maximum.map_or(bound, |maximum| bound.min(maximum)));
        // What is to keep a command in its bounds, it must not take away itself. Open files are its own affair.
        let maximum = if resource == Resource::Nofile { maximum } else { current };
        setrlimit(resource, Rlimit { current, maximum })?;
    }
    Ok(())
}

fn start(exec: &Exec, streams: [OwnedFd; 3], expendable: Option<Expendable>) -> Result<Pid, NotStarted> {
    let (failure, tell) = pipe_with(PipeFlags::CLOEXEC)?;
    let raised = expendable.as_ref().map(Expendable::raise);
    let forked = sys::fork();
    let Some(pid) = forked? else {
        let NotStarted { about, error } = execute(exec, &streams);
        let [a, b, c, d] = error.raw_os_error().unwrap_or_default().to_ne_bytes();
        // The parent reads these five bytes, or sees the pipe close when the program is executed.
        let _ = File::from(tell).write_all(&[about as u8, a, b, c, d]);
        std::process::exit(NOT_EXECUTED)
    };
    drop(raised);
    drop((streams, tell));
    let mut code = Vec::new();
    File::from(failure).read_to_end(&mut code)?;
    let Ok([about, code @ ..]) = <[u8; 5]>::try_from(code) else { return Ok(pid) };
    let about = [About::Directory, About::Program].into_iter().find(|it| *it as u8 == about).unwrap_or(About::System);
    Err(NotStarted::of(about)(io::Error::from_raw_os_error(i32::from_ne_bytes(code))))
}

/// Changes to the working directory.
fn enter(exec: &Exec) -> io::Result<()> {
    std::env::set_current_dir(&exec.cwd)?;
    // Asked of the kernel after the change, so that nothing can be exchanged in between.
    if exec.cwd_is_real && std::env::current_dir()? != exec.cwd {
        return Err(io::Error::from_raw_os_error(libc::ELOOP));
    }
    Ok(())
}

/// Becomes the command. Returns only on failure.
fn execute(exec: &Exec, [stdin, stdout, stderr]: &[OwnedFd; 3]) -> NotStarted {
    let prepared = || -> Result<(), NotStarted> {
        // If the supervisor is killed, the command must not go on alone.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        setsid()?;
        if exec.terminal {
            ioctl_tiocsctty(stdin)?;
        }
        rustix::stdio::dup2_stdin(stdin)?;
        rustix::stdio::dup2_stdout(stdout)?;
        rustix::stdio::dup2_stderr(stderr)?;
        sys::dispose(sys::all_signals(), Disposition::Default);
        sys::unblock_signals()?;
        enter(exec).map_err(NotStarted::of(About::Directory))?;
        Ok(bound(&exec.bounds)?)
    };
    if let Err(error) = prepared() {
        return error;
    }
    let Some((program, arguments)) = exec.argv.split_first() else {
        return io::Error::from(io::ErrorKind::InvalidInput).into();
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(exec.env.iter().map(|(name, value)| (name, value)));
    NotStarted::of(About::Program)(command.exec())
}
