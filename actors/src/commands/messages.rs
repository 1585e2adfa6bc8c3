//! The messages of the registry of commands.

use actix::prelude::*;

/// Sent by whoever looks at the metrics. The reply is how many commands run. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "usize")]
pub struct MeasureCommands;

/// Sent by the hub at shutdown: ends all commands and starts no more. The reply comes when none is left. Mailbox full:
/// the hub waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndAll;
