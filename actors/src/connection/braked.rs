//! What comes from a peer, behind its brake.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::Stream;

use super::brake::Brake;
use super::ingress::Room;
use super::pulse::Pulse;

/// A stream of incoming messages that rests while the brake is on, and while a large message waits for room.
pub struct Braked<S: Stream> {
    brake: Arc<Brake>,
    pulse: Arc<Pulse>,
    incoming: S,
    bytes: fn(&S::Item) -> usize,
    waiting: Option<Waiting<S::Item>>,
    room: Rc<RoomTaken>,
}

/// The room of the large message that was taken last, for whoever admits it.
pub type RoomTaken = Cell<Option<Room>>;

struct Waiting<T> {
    message: T,
    room: Pin<Box<dyn Future<Output = Option<Room>>>>,
}

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
        Self { brake, pulse, incoming, bytes, waiting: None, room }
    }
}

impl<S> Braked<S>
where
    S: Stream + Unpin,
    S::Item: Unpin,
{
    /// The next message that is not large, or none. Pending when it is large: then it waits for room.
    fn poll_small(&mut self, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Some(message) = ready!(Pin::new(&mut self.incoming).poll_next(cx)) else { return Poll::Ready(None) };
        let bytes = (self.bytes)(&message);
        if !self.brake.is_large(bytes) {
            return Poll::Ready(Some(message));
        }
        let brake = self.brake.clone();
        self.waiting = Some(Waiting { message, room: Box::pin(async move { brake.room(bytes).await }) });
        Poll::Pending
    }

    /// The large message that waits, when there is room for it.
    fn poll_large(&mut self, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let Some(waiting) = &mut self.waiting else { return Poll::Pending };
        self.room.set(ready!(waiting.room.as_mut().poll(cx)));
        Poll::Ready(self.waiting.take().map(|waiting| waiting.message))
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
        if this.waiting.is_none() {
            let open = this.brake.poll_open(cx);
            this.pulse.set_resting(open.is_pending());
            ready!(open);
            let small = this.poll_small(cx);
            if small.is_ready() || this.waiting.is_none() {
                return small;
            }
        }
        let large = this.poll_large(cx);
        this.pulse.set_resting(large.is_pending());
        large
    }
}
