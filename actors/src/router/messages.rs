//! What the router is told.

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::*;

use crate::connection::in_flight::InFlight;
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::outbound::Outbound;
use crate::connection::pulse::Pulse;
use crate::connection::{ConnectionId, ConnectionOrigin};
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, ServerNotification};

/// Sent by a connection as its first act. Nothing comes back. Mailbox full: the connection waits, and is not read.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Register {
    /// Its name.
    pub connection: ConnectionId,
    /// Its wire.
    pub origin: ConnectionOrigin,
    /// Its mailbox. The router keeps this one recipient and never clones it: the bound of a mailbox is exact for one
    /// sender only.
    pub deliver: Recipient<Deliver>,
    /// Its gauge.
    pub outbound: Arc<Outbound>,
    /// Its signs of life.
    pub pulse: Arc<Pulse>,
    /// How to cut it.
    pub kill: Kill,
    /// The last second since the Unix epoch in which it may be open; `None` when nothing ends but by itself.
    pub valid_until: Option<i64>,
}

/// Sent by whoever finished something: an answer, and what follows from it in its order. One message, so that nothing
/// of another request comes between them. Nothing comes back. Mailbox full: the sender pauses.
#[derive(Default, Message)]
#[rtype(result = "()")]
pub struct Outcome {
    pub(super) answer: Option<Answer>,
    pub(super) effects: Vec<Effect>,
}

/// An encoded answer and whom it is for.
pub struct Answer {
    pub(super) connection: ConnectionId,
    pub(super) frame: Frame,
    pub(super) settles: InFlight,
}

impl Outcome {
    /// An answer.
    pub(crate) fn answer(connection: ConnectionId, frame: Frame, mut settles: InFlight) -> Self {
        settles.answered();
        Self { answer: Some(Answer { connection, frame, settles }), effects: Vec::new() }
    }

    /// No answer, only consequences.
    pub fn none() -> Self {
        Self::default()
    }

    /// And then the outcome of another request.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        if self.answer.is_none() && self.effects.is_empty() {
            return next;
        }
        self.effects.extend(next.answer.map(Effect::Answer));
        self.effects.extend(next.effects);
        self
    }

    /// And then this.
    #[must_use]
    pub fn then(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// And then a notification.
    #[must_use]
    pub fn tell(self, audience: Audience, notification: ServerNotification) -> Self {
        self.then(Effect::Tell { audience, notification })
    }
}

/// A change to what the router knows, or something to say.
pub enum Effect {
    /// The connection is initialized: from now on it is told what happens.
    Admit {
        /// Which.
        connection: ConnectionId,
        /// Exact method names that it does not want.
        opt_out: HashSet<String>,
    },
    /// The connection is gone.
    Forget {
        /// Which.
        connection: ConnectionId,
    },
    /// The connection follows the turns of a thread.
    Subscribe {
        /// Who.
        connection: ConnectionId,
        /// What.
        thread: ThreadId,
    },
    /// The answer to a further request.
    Answer(Answer),
    /// A notification.
    Tell {
        /// For whom.
        audience: Audience,
        /// What.
        notification: ServerNotification,
    },
}

/// Sent by whoever produces more than a client may be able to take, for a notification that is encoded already. The
/// client's gauge comes back, by which the sender sees when it can go on; `None` where there is nobody to wait for,
/// because the client is gone or does not want it. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "Option<Arc<Outbound>>")]
pub struct HandOver {
    /// For whom.
    pub connection: ConnectionId,
    /// The name of the notification.
    pub method: &'static str,
    /// The notification.
    pub frame: Frame,
}

/// For whom a notification is (design section 4). Only initialized connections that did not opt out are told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every connection.
    Everyone,
    /// The connections subscribed to a thread.
    Subscribers(ThreadId),
    /// One connection.
    One(ConnectionId),
}

/// Sent by the threads registry for `thread/unsubscribe`. True comes back if the connection was subscribed. Mailbox
/// full: the sender waits.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Unsubscribe {
    /// Who.
    pub connection: ConnectionId,
    /// From what.
    pub thread: ThreadId,
}

/// Sent by the threads registry before it unloads idle threads. The threads that somebody follows come back. Mailbox
/// full: the sender waits.
#[derive(Message)]
#[rtype(result = "Vec<ThreadId>")]
pub struct SubscribedThreads;

/// Sent by the hub at shutdown: says goodbye to every connection. The answer comes when the last one is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CloseAll;

/// Sent by the hub when connections have not gone in time after [`CloseAll`]: cuts them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CutAll;
