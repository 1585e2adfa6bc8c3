//! What every wire does with a message that came in.

use std::sync::Arc;

use actix::prelude::*;

use super::brake::Brake;
use super::kill::Kill;
use super::messages::Deliver;
use super::outbound::Outbound;
use super::{ConnectionId, ConnectionOrigin};
use crate::hub::Hub;
use crate::limits::Limits;
use crate::processor::{Disconnected, Note, Request};
use crate::protocol::{ClientMessage, Frame, RpcError, decode};
use crate::router::Register;

/// The wire-independent half of a connection: decodes, counts, hands over.
pub struct Intake {
    id: ConnectionId,
    hub: Hub,
    brake: Arc<Brake>,
    outbound: Arc<Outbound>,
}

impl Intake {
    /// A new connection of `hub`.
    pub fn new(hub: &Hub) -> Self {
        let outbound = Arc::new(Outbound::default());
        let brake = Arc::new(Brake::new(hub.limits(), hub.ingress().clone(), outbound.clone()));
        Self { id: hub.next_connection_id(), hub: hub.clone(), brake, outbound }
    }

    /// The name of this connection.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// The bounds of the server.
    pub fn limits(&self) -> &Limits {
        self.hub.limits()
    }

    /// This connection's brake.
    pub fn brake(&self) -> &Arc<Brake> {
        &self.brake
    }

    /// Tells the router about this connection, before anything is read from it. To be called in `started`.
    pub fn register<A>(&self, origin: ConnectionOrigin, deliver: Recipient<Deliver>, kill: Kill, ctx: &mut A::Context)
    where
        A: Actor,
        A::Context: AsyncContext<A>,
    {
        let register = Register { connection: self.id, origin, deliver, outbound: self.outbound.clone(), kill };
        crate::post::post::<A, _, _>(self.hub.router(), register, ctx);
    }

    /// Takes one message. A frame that comes back is an error which the connection itself sends to its peer.
    pub fn take(&self, text: &str) -> Option<Frame> {
        let refusal = match decode(text) {
            Ok(ClientMessage::Request { id, method, request }) => {
                let reply = self.hub.reply(self.id, id, method.weight);
                if !self.brake.admit(method.weight) {
                    return self.own(reply.refuse(&RpcError::overloaded()));
                }
                let request = Request { reply, method, request, brake: self.brake.clone() };
                match self.hub.processor().try_send(request) {
                    Ok(()) => return None,
                    Err(SendError::Full(request)) => self.withdraw(request, &RpcError::overloaded()),
                    Err(SendError::Closed(request)) => {
                        self.withdraw(request, &RpcError::internal("the server is ending; reconnect"))
                    }
                }
            }
            Ok(ClientMessage::Notification(notification)) => {
                self.tell(Note::Notification { connection: self.id, notification });
                None
            }
            Ok(ClientMessage::Answer { id }) => {
                self.tell(Note::Answer { connection: self.id, id });
                None
            }
            Ok(ClientMessage::Unknown) => None,
            Err(refusal) => Some(Frame::error(refusal.id.as_ref(), &refusal.error)),
        };
        self.own(refusal)
    }

    /// An error for a message that could not even be read as text; the connection lives on.
    pub fn refuse(&self, error: &RpcError) -> Option<Frame> {
        self.own(Some(Frame::error(None, error)))
    }

    /// Counts bytes that the wire itself queues towards its peer.
    pub fn queue(&self, bytes: usize) {
        self.outbound.queue(bytes);
    }

    /// The wire has given a message of `bytes` to the socket.
    pub fn written(&self, bytes: usize) {
        self.outbound.written(bytes);
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

    fn withdraw(&self, request: Request, error: &RpcError) -> Option<Frame> {
        self.brake.taken();
        self.brake.settle(request.method.weight);
        request.reply.refuse(error)
    }

    /// Counts a frame that this connection sends to its own peer.
    fn own(&self, frame: Option<Frame>) -> Option<Frame> {
        if let Some(frame) = &frame {
            self.outbound.queue(frame.len());
        }
        frame
    }
}
