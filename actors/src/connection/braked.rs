//! The stream of incoming messages, controlled by the brake.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::brake::Brake;
use super::ingress::{Room, Ticket};
use super::pulse::Pulse;

/// A stream of incoming messages that pauses while the brake is on, and while its next message waits for its turn or,
/// if it is large, for its share of bytes.
pub struct Braked<S: Stream> {
    brake: Arc<Brake>,
    pulse: Arc<Pulse>,
    incoming: S,
    bytes: fn(&S::Item) -> usize,
    in_hand: Option<S::Item>,
    /// The place in the queue of waiting connections.
    ticket: Option<Ticket>,
    /// The share of bytes for the message is in `room`.
    has_room: bool,
    waiting: Option<Pin<Box<dyn Future<Output = Option<Room>>>>>,
    room: Rc<RoomTaken>,
}

/// The share of bytes of the last large message, for the code that admits it.
pub type RoomTaken = Cell<Option<Room>>;

impl<S: Stream> Braked<S> {
    /// Wraps `incoming`; `pulse` tells the router when the stream is paused. `bytes` measures a message; a large one
    /// leaves its share of bytes in `room`.
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
    /// Ready when the next message, of `bytes`, may be passed on.
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
