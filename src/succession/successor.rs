//! The server after this one.

use std::{
    ffi::{OsStr, OsString},
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use command_fds::{CommandFdExt as _, FdMapping};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::unix::pipe,
    time::timeout,
};

use super::{error::HandOverError, predecessor::READY};
use crate::{
    listen::{ADMIN, TAKE_OVER},
    open_files, terminal,
};

/// The number of the first inherited socket, as in the protocol of systemd.
const FIRST_SOCKET: i32 = 3;

/// Most bytes that it says before it is ready.
const SAID_BYTES: u64 = 4096;

/// How to start the next server: as this one was started.
#[derive(Clone)]
pub struct Successor {
    /// By the path at which this program was called, where another version of it may lie now.
    program: PathBuf,
    called: OsString,
    words: Vec<OsString>,
}

/// A socket for the next server.
pub struct HandedSocket {
    /// A duplicate.
    socket: OwnedFd,
    /// The next server removes its file at its end, as this one would have done.
    owns_file: bool,
    purpose: Purpose,
}

/// What a socket is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Clients.
    Clients,
    /// Operators and scrapers.
    Admin,
}

impl HandedSocket {
    /// # Errors
    /// The operating system gives no more descriptors.
    pub fn of(socket: impl AsFd, owns_file: bool, purpose: Purpose) -> io::Result<Self> {
        Ok(Self { socket: socket.as_fd().try_clone_to_owned()?, owns_file, purpose })
    }

    /// Another duplicate.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn again(&self) -> io::Result<Self> {
        Self::of(&self.socket, self.owns_file, self.purpose)
    }

    /// What [`TAKE_OVER`] says of it.
    fn words(&self, number: usize) -> impl Iterator<Item = String> + use<> {
        let file = self.owns_file.then(|| number.to_string());
        let admin = (self.purpose == Purpose::Admin).then(|| format!("{ADMIN}{number}"));
        file.into_iter().chain(admin)
    }
}

/// The next server, until it takes over. Dropped before that, it is ended.
pub struct Next {
    child: Child,
    /// Its end tells the next server that this one has ended.
    end: Option<ChildStdin>,
}

impl Successor {
    /// For the program of this process; `None` if it cannot be found again.
    pub fn of_this_process() -> Option<Self> {
        let mut words = std::env::args_os();
        let called = words.next().unwrap_or_default();
        // The running program's own path would lead past a link that names another version now.
        let named = PathBuf::from(&called);
        let is_path = named.components().count() > 1;
        let program = if is_path { std::path::absolute(named).ok()? } else { found(&called)? };
        Some(Self { program, called, words: words.collect() })
    }

    /// Starts it with `sockets`, and waits until it is ready, for at most `patience`.
    ///
    /// # Errors
    /// It cannot be started, or has ended, or takes too long. It has served nobody.
    pub async fn start(&self, sockets: Vec<HandedSocket>, patience: Duration) -> Result<Next, HandOverError> {
        let mut next = self.spawn(sockets)?;
        let ready = async {
            let out = next.child.stdout.take().and_then(|out| pipe::Receiver::from_owned_fd(out.into()).ok());
            is_ready(out.ok_or_else(|| HandOverError::NotReady("its stdout cannot be read".into()))?).await
        };
        match timeout(patience, ready).await {
            Ok(ready) => ready.map(|()| next),
            Err(_) => Err(HandOverError::TooSlow(patience.as_secs())),
        }
    }

    fn spawn(&self, sockets: Vec<HandedSocket>) -> Result<Next, HandOverError> {
        let not_started = |error| HandOverError::NotStarted { program: self.program.display().to_string(), error };
        let handed: Vec<String> = sockets.iter().enumerate().flat_map(|(number, it)| it.words(number)).collect();
        let mut command = Command::new(&self.program);
        command
            .arg0(&self.called)
            .args(&self.words)
            .env("LISTEN_FDS", sockets.len().to_string())
            .env(TAKE_OVER, handed.join(","))
            .env(open_files::BEFORE, open_files::at_start().map(|files| files.to_string()).unwrap_or_default())
            // They speak of this process.
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDNAMES")
            .env_remove("WATCHDOG_PID")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let numbered = (FIRST_SOCKET..).zip(sockets);
        let mappings = numbered.map(|(child_fd, it)| FdMapping { parent_fd: it.socket, child_fd }).collect();
        command.fd_mappings(mappings).map_err(|error| not_started(io::Error::other(error)))?;
        let mut child = command.spawn().map_err(not_started)?;
        let end = child.stdin.take();
        Ok(Next { child, end })
    }
}

impl Next {
    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still waits.
    pub fn is_waiting(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Leaves everything to it. From the end of this process on it serves.
    ///
    /// # Errors
    /// It has ended meanwhile.
    pub fn take_over(mut self) -> Result<(), HandOverError> {
        if !self.is_waiting() {
            return Err(HandOverError::Lost);
        }
        // Open until the end of this process.
        std::mem::forget(self.end.take());
        Ok(())
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        if self.end.is_some() {
            // It may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The program that a shell would find under this name.
fn found(name: &OsStr) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file());
    named.and_then(|program| std::path::absolute(program).ok()).or_else(|| std::env::current_exe().ok())
}

/// Reads what the next server says: that it is ready, or why it is not.
async fn is_ready(out: impl AsyncRead + Unpin) -> Result<(), HandOverError> {
    let mut said = Vec::new();
    let mut out = out.take(SAID_BYTES);
    while said != READY.as_bytes() {
        if out.read_buf(&mut said).await.unwrap_or(0) == 0 {
            let said = String::from_utf8_lossy(&said);
            let why = said.lines().next().unwrap_or("it did not say why");
            return Err(HandOverError::NotReady(terminal::shown(why).into_owned()));
        }
    }
    Ok(())
}
