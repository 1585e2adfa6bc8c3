//! The messages of a shell command.

use actix::prelude::*;

use crate::command::InputRefused;

/// Sent by a tool: takes the output that the model has not seen. Mailbox full: the tool waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Seen")]
pub struct Look {
    /// Bytes of output that the model is to see at most. Of longer output it sees the beginning and the end.
    pub most_bytes: usize,
}

/// What the model sees of a command.
#[derive(Clone, Debug, MessageResponse)]
pub struct Seen {
    /// The output since the last look, shortened where it was too long.
    pub output: String,
    /// Bytes of that output before it was shortened.
    pub bytes: u64,
    /// Lines of it, where it was shortened.
    pub lines_of_shortened: Option<u64>,
    /// How the command ended; `None` while it runs.
    pub end: Option<End>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit code; 128 + N after signal N.
    Exited(i32),
    /// It could not be started, for this reason.
    NotStarted(String),
}

/// Sent by a tool: types text into the command. The reply comes when it is in the queue. Mailbox full: the tool waits.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<(), InputRefused>")]
pub struct Type {
    /// The text.
    pub text: String,
}

/// Sent by whoever wants the command to end, with everything that it started. Nothing comes back; its end is reported as
/// always. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndShell;
