//! The messages of the router.

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::*;

use super::asked::{Ask, AskId};
use crate::connection::in_flight::InFlight;
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::outbound::Outbound;
use crate::connection::pulse::Pulse;
use crate::connection::{ConnectionId, ConnectionOrigin};
use crate::metrics::state::Clients;
use crate::protocol::diagnostics::DiagnosedConnection;
use crate::protocol::notification::NotificationAudience;
use crate::protocol::scope::Scopes;
use crate::protocol::server_request::ClientAnswer;
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, RequestId, ServerNotification};

/// Sent by a connection when it starts. No reply. Mailbox full: the connection waits and is not read.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Register {
    /// Id of the connection.
    pub connection: ConnectionId,
    /// Transport of the connection.
    pub origin: ConnectionOrigin,
    /// Where its client is, for people; empty if the transport says it all.
    pub address: String,
    /// The mailbox of the connection. The router never clones this recipient, because the bound of a mailbox is exact
    /// for one sender only.
    pub deliver: Recipient<Deliver>,
    /// Its outbound queue.
    pub outbound: Arc<Outbound>,
    /// Its signs of life.
    pub pulse: Arc<Pulse>,
    /// Ends the connection from outside.
    pub kill: Kill,
    /// When it must be closed, in seconds since the Unix epoch; `None` for no limit.
    pub valid_until: Option<i64>,
}

/// Sent by an actor that has finished a request: the answer and its consequences, in order. One message, so that
/// nothing of another request comes between them. No reply. Mailbox full: the sender pauses.
#[derive(Default, Message)]
#[rtype(result = "()")]
pub struct Outcome {
    pub(super) answer: Option<Answer>,
    pub(super) effects: Vec<Effect>,
}

/// An encoded answer and its receiver.
pub struct Answer {
    pub(super) connection: ConnectionId,
    pub(super) frame: Frame,
    pub(super) settles: InFlight,
}

impl Outcome {
    /// Creates an outcome with an answer.
    pub(crate) fn answer(connection: ConnectionId, frame: Frame, mut settles: InFlight) -> Self {
        settles.answered();
        Self { answer: Some(Answer { connection, frame, settles }), effects: Vec::new() }
    }

    /// Creates an outcome without an answer.
    pub fn none() -> Self {
        Self::default()
    }

    /// Neither an answer nor consequences.
    pub fn is_none(&self) -> bool {
        self.answer.is_none() && self.effects.is_empty()
    }

    /// Appends the outcome of another request.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        if self.is_none() {
            return next;
        }
        self.effects.extend(next.answer.map(Effect::Answer));
        self.effects.extend(next.effects);
        self
    }

    /// Appends an effect.
    #[must_use]
    pub fn then(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }

    /// Appends a notification for everyone whom its row in the table of notifications names. One that is for a requester
    /// alone needs [`Self::tell`], and reaches nobody here.
    #[must_use]
    pub fn publish(self, notification: ServerNotification) -> Self {
        match notification.audience() {
            NotificationAudience::Everyone => self.tell(Audience::Everyone, notification),
            NotificationAudience::Subscribers(thread) => self.tell(Audience::Subscribers(thread), notification),
            NotificationAudience::Requester => self,
        }
    }

    /// Appends a notification.
    #[must_use]
    pub fn tell(self, audience: Audience, notification: ServerNotification) -> Self {
        self.then(Effect::Tell { audience, notification })
    }
}

/// A change to the router's state, or a message to send.
pub enum Effect {
    /// The connection is initialized: from now on it receives notifications.
    Admit {
        /// The connection.
        connection: ConnectionId,
        /// Name and version of its client, for people.
        client: String,
        /// Methods of notifications that it does not want.
        opt_out: HashSet<String>,
        /// What it may do. Only `observe` lets it hear what is told to more than one connection.
        scopes: Scopes,
    },
    /// The connection has ended.
    Forget {
        /// The connection.
        connection: ConnectionId,
    },
    /// The connection subscribes to a thread.
    Subscribe {
        /// The connection.
        connection: ConnectionId,
        /// The content.
        thread: ThreadId,
    },
    /// A request to the subscribers of a thread.
    Ask(Ask),
    /// An answer from a client to a server request.
    Answered {
        /// The connection.
        connection: ConnectionId,
        /// Id of the request on the wire.
        id: RequestId,
        /// The answer.
        answer: ClientAnswer,
    },
    /// Withdraws pending requests. Their senders receive no answer.
    Withdraw {
        /// Id of the thread.
        thread: ThreadId,
        /// The request; `None` for all requests of the thread.
        ask: Option<AskId>,
    },
    /// The answer to another request.
    Answer(Answer),
    /// A notification.
    Tell {
        /// The receivers.
        audience: Audience,
        /// The content.
        notification: ServerNotification,
    },
}

/// Sent by an actor whose output may exceed what a client can read, with an encoded notification. The reply is the
/// client's outbound queue, which tells the sender when to continue; `None` if the client is gone or does not want the
/// notification. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "Option<Arc<Outbound>>")]
pub struct HandOver {
    /// The receivers.
    pub connection: ConnectionId,
    /// The name of the notification.
    pub method: &'static str,
    /// The notification.
    pub frame: Frame,
}

/// The receivers of a notification. Only initialized connections that did not opt out receive it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every connection.
    Everyone,
    /// The connections subscribed to a thread.
    Subscribers(ThreadId),
    /// One connection.
    One(ConnectionId),
}

/// Sent by `Threads` for `thread/unsubscribe`. The reply is whether the connection was subscribed. Mailbox full: the
/// sender waits.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct Unsubscribe {
    /// The connection.
    pub connection: ConnectionId,
    /// The thread.
    pub thread: ThreadId,
}

/// Sent by `Threads` before it unloads idle threads. The reply is the set of threads with subscribers. Mailbox full:
/// the sender waits.
#[derive(Message)]
#[rtype(result = "Vec<ThreadId>")]
pub struct SubscribedThreads;

/// Sent by the processor for `server/diagnostics`. The reply is the connections. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "Vec<DiagnosedConnection>")]
pub struct Connections;

/// Sent by whoever looks at the metrics. The reply is what the router knows of the connections. Mailbox full: the sender
/// waits.
#[derive(Message)]
#[rtype(result = "Clients")]
pub struct MeasureClients;

/// Sent by an operator who wants one client gone. The reply is whether it was there. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct CutOne {
    /// The connection.
    pub connection: ConnectionId,
}

/// Sent by the hub at shutdown: sends every connection a close frame. The reply comes when the last connection has
/// ended.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CloseAll;

/// Sent by the hub if connections are left some time after [`CloseAll`]: disconnects them.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CutAll;
