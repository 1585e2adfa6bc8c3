//! The messages of the link.

use std::fmt;

use actix::prelude::*;
use secrecy::SecretString;

use super::Keys;

/// Sent by remote control to establish a socket; an existing socket is dropped first. The reply comes when the upgrade
/// has succeeded or failed, at the latest after [`RemoteLinkLimits::dial_seconds`]. Mailbox full: the sender waits.
///
/// [`RemoteLinkLimits::dial_seconds`]: super::RemoteLinkLimits::dial_seconds
#[derive(Message)]
#[rtype(result = "Result<(), DialError>")]
pub struct Dial {
    /// URL of the backend; `ws` or `wss`.
    pub url: String,
    /// Bearer token for the upgrade.
    pub server_token: SecretString,
    /// Id of this host at the backend.
    pub server_id: String,
    /// Display name of this host; it is sent in base64.
    pub server_name: String,
    /// Id of this installation.
    pub installation_id: String,
    /// With keys, everything has to be encrypted end to end.
    pub keys: Option<Keys>,
}

/// Leaves out the token.
impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dial").field("url", &self.url).field("server_id", &self.server_id).finish_non_exhaustive()
    }
}

/// Why no socket could be established.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The backend answered without an upgrade.
    #[error("the backend refuses the connection (HTTP {status})")]
    Refused {
        /// Status of the answer.
        status: u16,
        /// The header `retry-after`, unparsed.
        retry_after: Option<String>,
        /// The first [`RemoteLinkLimits::refusal_bytes`] of the body.
        ///
        /// [`RemoteLinkLimits::refusal_bytes`]: super::RemoteLinkLimits::refusal_bytes
        body: String,
        /// The header `x-request-id`, or else `x-oai-request-id`.
        request_id: Option<String>,
        /// The header `cf-ray`.
        cf_ray: Option<String>,
    },
    /// The backend did not answer in time.
    #[error("timed out")]
    TimedOut,
    /// Any other failure: connection refused, untrusted certificate, dropped meanwhile. The text contains no secrets.
    #[error("{0}")]
    Failed(String),
}

/// Sent by remote control to drop the socket (disable, shutdown), without a close frame as in the reference program. A
/// dial in progress fails. Streams stay open, and their messages are kept for the next socket. After the reply no
/// [`LinkLost`] of an earlier socket follows. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct HangUp;

/// Sent by remote control at shutdown, after every connection was closed: new streams are refused. The reply comes when
/// the last stream has ended and its messages are written to the socket, or when there is no socket. There is no time
/// limit; the sender sets one. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct SendRest;

/// Sent by remote control when the sign-in has ended: drops the socket, ends all streams, and forgets retained
/// envelopes, counters and the cursor. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct EndSession;

/// Sent by remote control when a client revokes a controller, before the backend is asked: ends the streams of the
/// controller and refuses new ones. The reply comes when they have ended. Sent once more when the backend has confirmed it.
/// Mailbox full: the sender waits.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Revoke {
    /// Id of the controller.
    pub client: String,
    /// Whether the backend refuses the controller, too.
    pub confirmed: bool,
}

/// Sent by remote control when a new pairing starts: accepts the controllers again whose revocation the backend has
/// confirmed, because it lets them through only when they are paired anew; the others as soon as it confirms. Mailbox full:
/// the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Readmit;

/// Sent by the link to remote control, once for each established socket that ended by itself. The link does not wait.
/// Mailbox full: the message is delivered when there is room.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct LinkLost {
    /// The cause, as text.
    pub reason: String,
}
