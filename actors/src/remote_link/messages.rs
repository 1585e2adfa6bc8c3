//! What the link is told, and what it tells.

use std::fmt;

use actix::prelude::*;
use secrecy::SecretString;

/// Sent by the remote control actor when it wants a socket. The answer comes when the upgrade has succeeded or failed, at
/// the latest after [`RemoteLinkLimits::dial_seconds`]; a socket that is still there is dropped before. Mailbox full: the
/// sender waits.
///
/// [`RemoteLinkLimits::dial_seconds`]: super::RemoteLinkLimits::dial_seconds
#[derive(Message)]
#[rtype(result = "Result<(), DialError>")]
pub struct Dial {
    /// Where; `ws` or `wss`.
    pub url: String,
    /// The bearer of the upgrade.
    pub server_token: SecretString,
    /// Id of this host at the backend.
    pub server_id: String,
    /// The name that people know this host by, as it is; it travels in base64.
    pub server_name: String,
    /// The name of this installation.
    pub installation_id: String,
}

/// Without the token.
impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("url", &self.url).field("server_id", &self.server_id).finish_non_exhaustive()
    }
}

/// Why there is no socket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The backend answered, and not with an upgrade.
    #[error("the backend refuses the connection (HTTP {status})")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// The header `retry-after` as it was sent.
        retry_after: Option<String>,
        /// The first [`RemoteLinkLimits::refusal_bytes`] of the body, whatever they say.
        ///
        /// [`RemoteLinkLimits::refusal_bytes`]: super::RemoteLinkLimits::refusal_bytes
        body: String,
        /// The header `x-request-id`, else `x-oai-request-id`.
        request_id: Option<String>,
        /// The header `cf-ray`.
        cf_ray: Option<String>,
    },
    /// It did not answer in time.
    #[error("timed out")]
    TimedOut,
    /// Nobody listens there, its certificate is not to be trusted, the socket was hung up meanwhile, and the like. Holds
    /// no secret.
    #[error("{0}")]
    Failed(String),
}

/// Sent by the remote control actor when the socket is no longer wanted (disable, shutdown). It is dropped without a close
/// frame, as the reference program does; a dial under way fails. Streams live on, and what they say meanwhile is kept for
/// the next socket. After the answer no [`LinkLost`] of an earlier socket comes. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct HangUp;

/// Sent by the remote control actor when the server ends and every connection was told so: no stream begins any more, and
/// the answer comes when the last one has ended and what it said is written to the socket, or when there is no socket. Not
/// bounded: the sender sets the time. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SendRest;

/// Sent by the remote control actor when the login session is over: hangs up, ends every stream, and forgets what was
/// kept, the counters and the cursor. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct EndSession;

/// Sent by the link to the remote control actor, once for each socket that was established and then ended by itself. The
/// link does not wait for it: mailbox full, it is delivered as soon as there is room.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct LinkLost {
    /// For people.
    pub reason: String,
}
