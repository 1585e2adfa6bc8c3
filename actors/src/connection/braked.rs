//! What comes from a peer, behind its brake.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::brake::Brake;
use super::ingress::{Room, Ticket};
use super::pulse::Pulse;

/// A stream of incoming messages that rests while the brake is on, and while the message in hand waits for its turn or,
/// if it is large, for room.
pub struct Braked<S: Stream> {
    brake: Arc<Brake>,
    pulse: Arc<Pulse>,
    incoming: S,
    bytes: fn(&S::Item) -> usize,
    in_hand: Option<S::Item>,
    /// Its place among those that wait for their turn.
    ticket: Option<Ticket>,
    /// It is in `room`.
    has_room: bool,
    waiting: Option<Pin<Box<dyn Future<Output = Option<Room>>>>>,
    room: Rc<RoomTaken>,
}

/// The room of the large message that was taken last, for whoever admits it.
pub type RoomTaken = Cell<Option<Room>>;

impl<S: Stream> Braked<S> {
    /// Puts `incoming` behind `brake`; `pulse` tells the router while it rests. A large message, judged by `bytes`,
    /// leaves its room in `room`.
    pub fn new(
        brake: Arc<Brake>,
        pulse: Arc<Pulse>,
        incoming: S,
        bytes: fn(&S::Item) -> usize,
        room: Rc<RoomTaken>,
    ) -> Self {
        Self { brake, pulse, incoming, bytes, in_hand: None, ticket: None, has_room: false, waiting: None, room }
    }
}

impl<S> Braked<S>
where
    S: Stream + Unpin,
    S::Item: Unpin,
{
    /// Ready when the message in hand, of `bytes`, may go on.
    fn poll_pass(&mut self, bytes: usize, cx: &mut Context<'_>) -> Poll<()> {
        if self.brake.is_large(bytes) && !self.has_room {
            let waiting = self.waiting.get_or_insert_with(|| {
                let brake = self.brake.clone();
                Box::pin(async move { brake.room(bytes).await })
            });
            self.room.set(ready!(waiting.as_mut().poll(cx)));
            self.waiting = None;
            self.has_room = true;
        }
        ready!(self.brake.ingress().poll_turn(&mut self.ticket, cx));
        self.has_room = false;
        Poll::Ready(())
    }
}

impl<S> Stream for Braked<S>
where
    S: Stream + Unpin,
    S::Item: Unpin,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let this = self.get_mut();
        let message = match this.in_hand.take() {
            Some(message) => message,
            None => {
                let open = this.brake.poll_open(cx);
                this.pulse.set_resting(open.is_pending());
                ready!(open);
                match ready!(Pin::new(&mut this.incoming).poll_next(cx)) {
                    Some(message) => message,
                    None => return Poll::Ready(None),
                }
            }
        };
        let pass = this.poll_pass((this.bytes)(&message), cx);
        this.pulse.set_resting(pass.is_pending());
        if pass.is_pending() {
            this.in_hand = Some(message);
            return Poll::Pending;
        }
        Poll::Ready(Some(message))
    }
}

impl<S: Stream> Drop for Braked<S> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.brake.ingress().give_up(ticket);
        }
    }
}
