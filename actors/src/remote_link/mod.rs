//! The link: the one WebSocket to the remote-control backend, and the streams of remote controllers on it.

mod limits;
mod messages;

pub use limits::RemoteLinkLimits;
pub use messages::{Dial, DialError, EndSession, HangUp, LinkLost};
