//! The messages of a command, and its reports.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use bytes::Bytes;
use command_launcher::{Bounds, Confinement};
use tokio::sync::oneshot;

use crate::descriptors::TooFew;

/// Identifies a command; unique for the life of the process. Chosen by the code that starts the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandId(pub u64);

/// What to run.
#[derive(Debug)]
pub struct Job {
    /// Program and arguments; never empty.
    pub argv: Vec<OsString>,
    /// Absolute working directory.
    pub cwd: PathBuf,
    /// It is a path without links. If it leads elsewhere when the command starts, nothing runs.
    pub cwd_is_real: bool,
    /// The complete environment.
    pub env: Vec<(OsString, OsString)>,
    /// Bounds on what it takes of the machine.
    pub bounds: Bounds,
    /// The sandbox; `None` for all rights of the server's user.
    pub confinement: Option<Confinement>,
    /// Time limit; `None` for none.
    pub timeout: Option<Duration>,
}

/// Standard streams of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streams {
    /// Pipes; standard output and standard error are separate.
    Pipes {
        /// Whether it reads input sent by [`Write`]; otherwise its input is empty.
        stdin: bool,
    },
    /// One pipe for both outputs, so that they stay in their order; the input is empty.
    OnePipe,
    /// One terminal for all streams.
    Terminal(TerminalSize),
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Number of rows; at least 1.
    pub rows: u16,
    /// Number of columns; at least 1.
    pub cols: u16,
}

/// The receivers of a command's reports.
#[derive(Clone)]
pub struct Listener {
    /// Receives every piece of output.
    pub output: Arc<Recipient<Output>>,
    /// Receives the end once, after the last piece of output.
    pub ended: Arc<Recipient<Ended>>,
}

/// Where output comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output, and everything that comes from a terminal or from one pipe for both.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Sent by a command with a piece of output. The command reads no more of this stream until the reply arrives; the
/// receiver replies when it can accept more. Mailbox full: the command waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Output {
    /// The command.
    pub command: CommandId,
    /// The stream.
    pub stream: OutputStream,
    /// The bytes; never empty, and cut anywhere.
    pub bytes: Bytes,
}

/// Sent by a command when all its processes have ended. No reply. Mailbox full: the command waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ended {
    /// The command.
    pub command: CommandId,
    /// How it ended, or why it could not start.
    pub exit: Result<Exit, LaunchError>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit code, or 128 + N after signal N.
    pub code: i32,
    /// Whether it was ended by the time limit.
    pub timed_out: bool,
}

/// Why a command could not start.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The program or the working directory cannot be used. The text is the operating system's.
    #[error("failed to spawn command: {0}")]
    NotStarted(String),
    /// The command was to be confined, which this machine cannot do; nothing was run.
    #[error("the command was not run because it cannot be confined as requested: {0}")]
    NotConfined(String),
    /// The server could not make what the command needs.
    #[error("failed to spawn command: {0}")]
    System(#[from] io::Error),
    /// It would use up the last open files.
    #[error("failed to spawn command: {0}")]
    TooFewFiles(#[from] TooFew),
    /// The server lost track of the command and ended it.
    #[error("the server failed while it ran this command")]
    Lost,
}

/// Sent by the registry with bytes for standard input. Mailbox full: the client receives an error.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Write {
    /// Bytes to write; may be empty.
    pub bytes: Vec<u8>,
    /// Closes the input after these bytes.
    pub close: bool,
    /// Resolved when the bytes are queued.
    pub done: oneshot::Sender<Result<(), InputRefused>>,
}

/// Sent by whoever owns a command with bytes for standard input that are not to be refused. The reply comes when they are
/// queued, which is when the command has read enough of the earlier input. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), InputRefused>")]
pub struct Feed(pub Vec<u8>);

/// Why input was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputRefused {
    /// The input was closed, or the command has stopped reading.
    Closed,
    /// The command has not read enough of the earlier input.
    Full,
}

/// Sent by the registry with a new size of the terminal. Mailbox full: the client receives an error.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Resize {
    /// The new size.
    pub size: TerminalSize,
    /// Resolved when it is done.
    pub done: oneshot::Sender<io::Result<()>>,
}

/// Sent by the registry to end a command and everything that it started, also before it has begun. No reply; [`Ended`]
/// follows later. Mailbox full: the sender retries or reports an error.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Terminate;
