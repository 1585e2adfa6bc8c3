//! What every wire does with a message that came in.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use futures_util::Stream;

use super::brake::Brake;
use super::braked::{Braked, RoomTaken};
use super::in_flight::InFlight;
use super::kill::Kill;
use super::messages::{Deliver, Disconnected};
use super::outbound::Outbound;
use super::pulse::Pulse;
use super::{ConnectionId, ConnectionOrigin};
use crate::hub::Hub;
use crate::limits::Limits;
use crate::processor::{Note, Request};
use crate::protocol::{ClientMessage, Frame, RpcError, decode_within};
use crate::router::Register;

/// The wire-independent half of a connection: decodes, counts, hands over.
pub struct Intake {
    id: ConnectionId,
    hub: Hub,
    brake: Arc<Brake>,
    outbound: Arc<Outbound>,
    pulse: Arc<Pulse>,
    /// Of the message that is being taken, if it is large.
    room: Rc<RoomTaken>,
    /// The peer sends no more, but still waits for answers.
    half_closed: Cell<bool>,
}

/// What became of a message. An error is for the connection itself to write.
#[derive(Debug)]
pub enum Taken {
    /// Whoever has it now answers, if an answer is due.
    InHand,
    /// A request that is not served.
    Refused(Frame),
    /// Not even a message of the protocol.
    Malformed(Frame),
}

impl Intake {
    /// A new connection of `hub`.
    pub fn new(hub: &Hub) -> Self {
        let outbound = Arc::new(Outbound::default());
        let brake = Arc::new(Brake::new(hub.limits(), hub.ingress().clone(), outbound.clone()));
        let (id, hub) = (hub.next_connection_id(), hub.clone());
        Self { id, hub, brake, outbound, pulse: Arc::default(), room: Rc::default(), half_closed: Cell::new(false) }
    }

    /// The name of this connection.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The bounds of the server.
    pub fn limits(&self) -> &Limits {
        self.hub.limits()
    }

    /// The signs of life that this connection gives.
    pub fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Puts what comes from the peer behind this connection's brake; `bytes` tells the size of a message.
    pub fn braked<S: Stream>(&self, incoming: S, bytes: fn(&S::Item) -> usize) -> Braked<S> {
        Braked::new(self.brake.clone(), self.pulse.clone(), incoming, bytes, self.room.clone())
    }

    /// Tells the router about this connection, before anything is read from it. To be called in `started`.
    /// In seconds since the Unix epoch, `valid_until` is when the router ends it.
    pub fn register<A>(
        &self,
        origin: ConnectionOrigin,
        deliver: Recipient<Deliver>,
        kill: Kill,
        valid_until: Option<i64>,
        ctx: &mut A::Context,
    ) where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        let (outbound, pulse) = (self.outbound.clone(), self.pulse.clone());
        let register = Register { connection: self.id, origin, deliver, outbound, pulse, kill, valid_until };
        crate::post::post::<A, _, _>(self.hub.router(), register, ctx);
    }

    /// Takes one message.
    pub fn take(&self, text: &str) -> Taken {
        let room = self.room.take();
        match decode_within(self.limits(), text) {
            Ok(ClientMessage::Request { id, method, request }) => {
                let Some(in_flight) = self.brake.admit(method.weight, text.len(), room) else {
                    return Taken::Refused(Frame::error(Some(&id), &RpcError::overloaded()));
                };
                let reply = self.hub.reply(self.id, id, in_flight);
                let request = Request { reply, method, request };
                match self.hub.processor().try_send(request) {
                    Ok(()) => Taken::InHand,
                    Err(SendError::Full(request)) => self.withdraw(request, &RpcError::overloaded()),
                    Err(SendError::Closed(request)) => {
                        self.withdraw(request, &RpcError::internal("the server is ending; reconnect"))
                    }
                }
            }
            Ok(ClientMessage::Notification(notification)) => {
                self.tell(Note::Notification { connection: self.id, notification });
                Taken::InHand
            }
            Ok(ClientMessage::Answer { id }) => {
                self.tell(Note::Answer { connection: self.id, id });
                Taken::InHand
            }
            Ok(ClientMessage::Unknown) => Taken::InHand,
            Err(refusal) => {
                let frame = Frame::error(refusal.id.as_ref(), &refusal.error);
                if refusal.id.is_some() { Taken::Refused(frame) } else { Taken::Malformed(frame) }
            }
        }
    }

    /// The error for a message that could not even be read as text; the connection writes it and lives on.
    pub fn refusal(error: &RpcError) -> Frame {
        Frame::error(None, error)
    }

    /// An answer to a request of this connection goes out.
    pub fn settle<A>(&self, in_flight: InFlight, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        drop(in_flight);
        if self.half_closed.get() {
            self.stop_when_answered::<A>(ctx);
        }
    }

    /// The peer sends no more: what it asked is still answered, within a bounded time, and then the connection ends.
    pub fn half_closed<A>(&self, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        self.half_closed.set(true);
        self.stop_when_answered::<A>(ctx);
        ctx.run_later(self.limits().connection_flush(), |_, ctx| ctx.stop());
    }

    fn stop_when_answered<A>(&self, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        if self.brake.is_idle() {
            // A turn later, so that what is in the mailbox behind the last answer still goes out.
            ctx.run_later(Duration::ZERO, |_, ctx| ctx.stop());
        }
    }

    /// Counts bytes that the wire itself queues towards its peer.
    pub fn queue(&self, bytes: usize) {
        self.outbound.queue(bytes);
    }

    /// The wire has given `bytes` of a message to the socket, and has more of it.
    pub fn written_in_part(&self, bytes: usize) {
        self.outbound.written_in_part(bytes);
    }

    /// The wire has given so many messages, `bytes` together, to the socket. Of one that it gave in parts before, these are
    /// the last.
    pub fn written(&self, messages: usize, bytes: usize) {
        self.outbound.written(messages, bytes);
        self.brake.written();
    }

    /// The connection is over; to be called in `stopped`.
    pub fn disconnected(&self) {
        let processor = self.hub.processor().clone();
        let gone = Disconnected { connection: self.id };
        // One per connection, so bounded by their number; it may wait for room in the mailbox.
        if let Err(SendError::Full(gone)) = processor.try_send(gone) {
            actix_rt::spawn(async move { processor.send(gone).await });
        }
    }

    /// A notification or an answer waits for room; nothing more is read meanwhile, and what goes out goes on.
    fn tell(&self, note: Note) {
        if let Err(SendError::Full(note)) = self.hub.processor().try_send(note) {
            let (processor, brake) = (self.hub.processor().clone(), self.brake.clone());
            brake.park();
            actix_rt::spawn(async move {
                if processor.send(note).await.is_err() {
                    log::debug!("the processor ended while a notification waited for it");
                }
                brake.unpark();
            });
        }
    }

    fn withdraw(&self, request: Request, error: &RpcError) -> Taken {
        request.reply.left_mailbox();
        // A reply that was answered before has nothing left to say.
        request.reply.refuse(error).map_or(Taken::InHand, Taken::Refused)
    }
}
