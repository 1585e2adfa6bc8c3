//! Connections: one actor per client. The logic is the same for every wire; each wire adds a thin part.
//!
//! | file | what it is |
//! |---|---|
//! | [`intake`] | what every wire does with a message that came in |
//! | [`brake`] | when a connection stops being read, and when it is read again |
//! | [`braked`] | what comes from the peer, behind the brake |
//! | [`ingress`] | what all connections share on their way in |
//! | [`in_flight`] | one request in flight, as the brake counts it |
//! | [`outbound`] | what is queued towards the peer, seen from both ends |
//! | [`pulse`] | the signs of life by which the router's clocks judge a connection |
//! | [`kill`] | how a connection is cut even while its peer never reads |
//! | [`websocket`] | the wire of the Unix socket and of TCP |
//! | [`stream`] | lines of JSON: stdio and the in-process client |

use std::fmt;

use crate::metrics::requests::Transport;
use crate::protocol::scope::Scopes;

pub mod brake;
pub mod braked;
pub mod in_flight;
pub mod ingress;
pub mod intake;
pub mod kill;
pub mod messages;
pub mod outbound;
pub mod pulse;
pub mod stream;
pub mod websocket;

/// Identifies a connection; unique for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The transport of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionOrigin {
    /// Standard input and output of this process.
    Stdio,
    /// A WebSocket over a Unix socket.
    UnixSocket,
    /// A WebSocket over TCP.
    Tcp,
    /// A program that embeds this server.
    InProcess,
    /// A remote controller, through the backend.
    RemoteControl,
}

/// What a client that was let in may do, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What it may do.
    pub scopes: Scopes,
    /// The last second since the Unix epoch in which it may be connected; `None` for any time.
    pub valid_until: Option<i64>,
}

impl Pass {
    /// For clients who need no token: everything, without an end.
    pub const UNLIMITED: Self = Self { scopes: Scopes::ALL, valid_until: None };
}

impl ConnectionOrigin {
    /// Whether the peer speaks WebSocket, with pings and close frames.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::UnixSocket | Self::Tcp)
    }

    /// The label of its connections in metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::UnixSocket => "unix",
            Self::Tcp => "tcp",
            Self::InProcess => "in_process",
            Self::RemoteControl => "remote_control",
        }
    }

    /// The transport of its requests in metrics.
    pub fn transport(self) -> Transport {
        match self {
            Self::Stdio => Transport::Stdio,
            Self::UnixSocket | Self::Tcp => Transport::Websocket,
            Self::InProcess => Transport::InProcess,
            Self::RemoteControl => Transport::RemoteControl,
        }
    }
}

impl fmt::Display for ConnectionOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdio => "stdio",
            Self::UnixSocket | Self::Tcp => "websocket",
            Self::InProcess => "in-process",
            Self::RemoteControl => "remote-control",
        })
    }
}
