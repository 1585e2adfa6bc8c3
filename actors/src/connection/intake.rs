//! The handling of incoming messages, shared by all wires.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
use crate::metrics::requests::Meter;
use crate::processor::{Note, Request};
use crate::protocol::scope::Scopes;
use crate::protocol::{ClientMessage, Frame, RpcError, decode_within};
use crate::reply::Received;
use crate::router::Register;

/// The wire-independent half of a connection: decodes messages, counts requests, hands them over.
pub struct Intake {
    id: ConnectionId,
    origin: ConnectionOrigin,
    scopes: Scopes,
    /// Where the client is, for people; empty if the transport says it all.
    address: String,
    hub: Hub,
    brake: Arc<Brake>,
    outbound: Arc<Outbound>,
    pulse: Arc<Pulse>,
    /// The share of bytes of the current message, if it is large.
    room: Rc<RoomTaken>,
    /// The peer has stopped sending, but still waits for answers.
    half_closed: Cell<bool>,
    /// When the peer's bytes came that are being taken, and the number of that arrival.
    arrived: Cell<Option<(u64, Instant)>>,
}

/// The outcome of [`Intake::take`]. The connection writes the error frame, if any.
#[derive(Debug)]
pub enum Taken {
    /// The message was handed over; its receiver answers if an answer is due.
    InHand,
    /// A request that is refused, with the error to write.
    Refused(Frame),
    /// A malformed message, with the error to write.
    Malformed(Frame),
}

impl Intake {
    /// Creates a connection of `hub` that came by `origin` and whose client has these `scopes`.
    pub fn new(hub: &Hub, origin: ConnectionOrigin, scopes: Scopes) -> Self {
        let outbound = Arc::new(Outbound::default());
        let meter = Meter::new(hub.metrics().clone(), origin.transport());
        let brake = Arc::new(Brake::new(hub.limits(), meter, hub.ingress().clone(), outbound.clone()));
        let (id, hub) = (hub.next_connection_id(), hub.clone());
        Self {
            id,
            origin,
            scopes,
            address: String::new(),
            hub,
            brake,
            outbound,
            pulse: Arc::default(),
            room: Rc::default(),
            half_closed: Cell::new(false),
            arrived: Cell::new(None),
        }
    }

    /// The same, with the address of the client as people read it.
    #[must_use]
    pub fn from(self, address: String) -> Self {
        Self { address, ..self }
    }

    /// The id of this connection.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The limits of the server.
    pub fn limits(&self) -> &Limits {
        self.hub.limits()
    }

    /// The signs of life of this connection.
    pub fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    /// Puts the incoming stream under the control of the brake; `bytes` measures a message.
    pub fn braked<S: Stream>(&self, incoming: S, bytes: fn(&S::Item) -> usize) -> Braked<S> {
        Braked::new(self.brake.clone(), self.pulse.clone(), incoming, bytes, self.room.clone())
    }

    /// Registers this connection with the router. Call it in `started`, before anything is read. The router ends the
    /// connection at `valid_until`, in seconds since the Unix epoch.
    pub fn register<A>(&self, deliver: Recipient<Deliver>, kill: Kill, valid_until: Option<i64>, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        let (outbound, pulse) = (self.outbound.clone(), self.pulse.clone());
        let (connection, origin, address) = (self.id, self.origin, self.address.clone());
        let register = Register { connection, origin, address, deliver, outbound, pulse, kill, valid_until };
        crate::post::post::<A, _, _>(self.hub.router(), register, ctx);
    }

    /// Handles one message.
    pub fn take(&self, text: &str) -> Taken {
        let room = self.room.take();
        match decode_within(self.limits(), text) {
            Ok(ClientMessage::Request { id, method, request }) => {
                let Some(in_flight) = self.brake.admit(method.weight, text.len(), room) else {
                    self.brake.meter().overloaded(method, "connection");
                    return Taken::Refused(Frame::error(Some(&id), &RpcError::overloaded()));
                };
                let since = self.arrival();
                let reply = self.hub.reply(self.id, Received { id, method, since }, in_flight);
                let request = Request { reply, method, request, scopes: self.scopes };
                match self.hub.processor().try_send(request) {
                    Ok(()) => Taken::InHand,
                    Err(SendError::Full(request)) => {
                        self.brake.meter().overloaded(method, "processor");
                        self.withdraw(request, &RpcError::overloaded())
                    }
                    Err(SendError::Closed(request)) => {
                        self.withdraw(request, &RpcError::internal("the server is ending; reconnect"))
                    }
                }
            }
            Ok(ClientMessage::Notification(notification)) => {
                self.tell(Note::Notification { connection: self.id, notification });
                Taken::InHand
            }
            Ok(ClientMessage::Answer { id, answer }) => {
                self.tell(Note::Answer { connection: self.id, id, answer });
                Taken::InHand
            }
            Ok(ClientMessage::Unknown) => Taken::InHand,
            Err(refusal) => {
                self.brake.meter().refused(refusal.method, refusal.error.code);
                let frame = Frame::error(refusal.id.as_ref(), &refusal.error);
                if refusal.id.is_some() { Taken::Refused(frame) } else { Taken::Malformed(frame) }
            }
        }
    }

    /// When the bytes of the current message came. The time is looked at once for all messages that came together.
    fn arrival(&self) -> Instant {
        let number = self.pulse.heard();
        match self.arrived.get() {
            // A wire that does not count its arrivals stays at 0.
            Some((known, at)) if known == number && number > 0 => at,
            _ => {
                let now = Instant::now();
                self.arrived.set(Some((number, now)));
                now
            }
        }
    }

    /// The error frame for a message that is not text. The connection writes it and stays open.
    pub fn refusal(error: &RpcError) -> Frame {
        Frame::error(None, error)
    }

    /// An answer to a request of this connection is being written.
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

    /// The peer has stopped sending. Its requests are still answered, within a bounded time; then the connection ends.
    pub fn half_closed<A>(&self, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        self.end_when_answered::<A>(self.limits().connection_flush_seconds.duration(), ctx);
    }

    /// Ends the connection when all its requests are answered, or after the time `within`.
    pub fn end_when_answered<A>(&self, within: Duration, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        self.half_closed.set(true);
        self.stop_when_answered::<A>(ctx);
        ctx.run_later(within, |_, ctx| ctx.stop());
    }

    /// Whether all requests are answered.
    pub fn is_idle(&self) -> bool {
        self.brake.is_idle()
    }

    fn stop_when_answered<A>(&self, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        if self.brake.is_idle() {
            // One turn later, so that messages behind the last answer in the mailbox are still written.
            ctx.run_later(Duration::ZERO, |_, ctx| ctx.stop());
        }
    }

    /// Counts bytes that the wire itself queues for its peer.
    pub fn queue(&self, bytes: usize) {
        self.outbound.queue(bytes);
    }

    /// `bytes` of a message were written to the socket; more of it follows.
    pub fn written_in_part(&self, bytes: usize) {
        self.outbound.written_in_part(bytes);
    }

    /// `messages` messages with `bytes` bytes in total were written to the socket. For a message that was written in
    /// parts, `bytes` includes only its last part.
    pub fn written(&self, messages: usize, bytes: usize) {
        self.outbound.written(messages, bytes);
        self.brake.written();
    }

    /// The connection has ended. Call it in `stopped`.
    pub fn disconnected(&self) {
        let processor = self.hub.processor().clone();
        let gone = Disconnected { connection: self.id };
        // There is at most one such task per connection, so their number is bounded.
        if let Err(SendError::Full(gone)) = processor.try_send(gone) {
            actix_rt::spawn(async move { processor.send(gone).await });
        }
    }

    /// Sends a note to the processor. If its mailbox is full, the note waits and nothing more is read meanwhile;
    /// writing goes on.
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
        // A reply that was used before has no frame.
        request.reply.refuse(error).map_or(Taken::InHand, Taken::Refused)
    }
}
