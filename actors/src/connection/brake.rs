//! The connection's own brake: fast clients are slowed, not refused (design section 3).
//!
//! It stands in front of the processor's mailbox, so that one client that floods cannot fill the mailbox for all. The
//! connection is not read while one of these is at its bound, and read again when all are down to half: short requests
//! in flight, requests waiting in the processor's mailbox, bytes of answers that the peer has not read.
//!
//! Many floods at once could still fill the mailbox. So while little room is left in it, a connection that has a request
//! waiting is not read until that is taken, and one that has none lets the processor have a turn first. By then the
//! processor is next in the arbiter's queue and empties the mailbox; only where it cannot, a request is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::Stream;
use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use super::outbound::Outbound;
use super::pulse::Pulse;
use crate::limits::Limits;
use crate::protocol::Weight;

/// How full the processor's mailbox is; shared by all connections.
#[derive(Debug)]
pub struct Ingress {
    waiting: AtomicUsize,
    /// Seven eighths of the mailbox.
    crowd: usize,
}

impl Ingress {
    /// Nothing waits.
    pub fn new(limits: &Limits) -> Self {
        let capacity = limits.processor_mailbox_messages;
        Self { waiting: AtomicUsize::new(0), crowd: capacity - capacity.div_ceil(8) }
    }

    fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= self.crowd
    }
}

/// One connection's counts. Shared by the connection, and by its requests on their way through the processor.
#[derive(Debug)]
pub struct Brake {
    bounds: Bounds,
    short: AtomicUsize,
    waiting: AtomicUsize,
    long: AtomicUsize,
    ingress: Arc<Ingress>,
    outbound: Arc<Outbound>,
    /// The reading rests until one of this connection's requests has left the mailbox.
    crowded: AtomicBool,
    /// The processor has had its turn before this connection's next request.
    yielded: AtomicBool,
    /// A notification waits for room in the processor's mailbox: nothing may overtake it.
    parked: AtomicBool,
    /// The brake is on: a bound was reached and not all counts are down to half yet.
    on: AtomicBool,
    reader: AtomicWaker,
    /// Tells those who wait in [`Brake::drained`] that the peer has read something.
    progress: Notify,
}

#[derive(Debug)]
struct Bounds {
    short: usize,
    waiting: usize,
    long: usize,
    unread_bytes: usize,
}

impl Brake {
    /// A brake for one connection whose outgoing bytes `outbound` counts.
    pub fn new(limits: &Limits, ingress: Arc<Ingress>, outbound: Arc<Outbound>) -> Self {
        Self {
            bounds: Bounds {
                short: limits.connection_in_flight_requests,
                waiting: limits.connection_waiting_requests,
                long: limits.connection_long_requests,
                unread_bytes: limits.connection_unread_bytes,
            },
            short: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            long: AtomicUsize::new(0),
            ingress,
            outbound,
            crowded: AtomicBool::new(false),
            yielded: AtomicBool::new(false),
            parked: AtomicBool::new(false),
            on: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            progress: Notify::new(),
        }
    }

    /// Counts a request that goes to the processor. False when this client has all its long-running requests in use:
    /// nothing is counted then, and the request is to be refused.
    #[must_use]
    pub fn admit(&self, weight: Weight) -> bool {
        let count = self.count(weight);
        if weight == Weight::Long && count.load(Ordering::Acquire) >= self.bounds.long {
            return false;
        }
        count.fetch_add(1, Ordering::AcqRel);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.ingress.waiting.fetch_add(1, Ordering::AcqRel);
        true
    }

    /// The processor has taken a request out of its mailbox (or had no room for it).
    pub fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.ingress.waiting.fetch_sub(1, Ordering::AcqRel);
        if self.crowded.swap(false, Ordering::AcqRel) {
            self.reader.wake();
        }
        self.wake();
    }

    /// A request was answered.
    pub fn settle(&self, weight: Weight) {
        self.count(weight).fetch_sub(1, Ordering::AcqRel);
        self.wake();
    }

    /// The wire has given bytes to the socket.
    pub fn written(&self) {
        self.wake();
        self.progress.notify_waiters();
    }

    /// Resolves when the peer has read so much that it can be sent a large answer. Short answers need not wait: their
    /// number is bounded. Never resolves once the connection is gone.
    pub async fn drained(&self) {
        loop {
            // Before the look at the gauge, so that progress after it is not missed.
            let progress = self.progress.notified();
            if self.outbound.queued_bytes() < self.bounds.unread_bytes {
                return;
            }
            progress.await;
        }
    }

    /// Stops the reading until [`Self::unpark`].
    pub fn park(&self) {
        self.parked.store(true, Ordering::Release);
    }

    /// The parked message was taken.
    pub fn unpark(&self) {
        self.parked.store(false, Ordering::Release);
        self.reader.wake();
    }

    /// No request of this connection is in flight.
    pub fn is_idle(&self) -> bool {
        self.short.load(Ordering::Acquire) == 0 && self.long.load(Ordering::Acquire) == 0
    }

    /// Ready while the connection may be read.
    pub fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_open() {
            if self.ingress.is_crowded() && !self.yielded.swap(true, Ordering::AcqRel) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            self.yielded.store(false, Ordering::Release);
            return Poll::Ready(());
        }
        self.reader.register(cx.waker());
        // Again, because the last answer may have come between the first look and the registration.
        if self.is_open() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn is_open(&self) -> bool {
        if self.parked.load(Ordering::Acquire) {
            return false;
        }
        // It has a request in the mailbox, and `taken` will look again.
        if self.waiting.load(Ordering::Acquire) > 0 && self.ingress.is_crowded() {
            self.crowded.store(true, Ordering::Release);
            return false;
        }
        let on = if self.on.load(Ordering::Acquire) { !self.below(2) } else { !self.below(1) };
        self.on.store(on, Ordering::Release);
        !on
    }

    /// Every count is below its bound (`part` 1), or at most at half of it (`part` 2).
    fn below(&self, part: usize) -> bool {
        let fits = |count: usize, bound: usize| if part == 1 { count < bound } else { count <= bound / 2 };
        fits(self.short.load(Ordering::Acquire), self.bounds.short)
            && fits(self.waiting.load(Ordering::Acquire), self.bounds.waiting)
            && fits(self.outbound.queued_bytes(), self.bounds.unread_bytes)
    }

    fn wake(&self) {
        if self.on.load(Ordering::Acquire) && self.below(2) {
            self.reader.wake();
        }
    }

    fn count(&self, weight: Weight) -> &AtomicUsize {
        match weight {
            Weight::Short => &self.short,
            Weight::Long => &self.long,
        }
    }
}

/// A stream of incoming messages that rests while the brake is on.
pub struct Braked<S> {
    brake: Arc<Brake>,
    pulse: Arc<Pulse>,
    incoming: S,
}

impl<S> Braked<S> {
    /// Puts `incoming` behind `brake`; `pulse` tells the router while it rests.
    pub fn new(brake: Arc<Brake>, pulse: Arc<Pulse>, incoming: S) -> Self {
        Self { brake, pulse, incoming }
    }
}

impl<S: Stream + Unpin> Stream for Braked<S> {
    type Item = S::Item;

    fn poll_next(mut self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let open = self.brake.poll_open(cx);
        self.pulse.set_resting(open.is_pending());
        match open {
            Poll::Ready(()) => std::pin::Pin::new(&mut self.incoming).poll_next(cx),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn brake(change: impl FnOnce(&mut Limits)) -> (Brake, Arc<Outbound>) {
        let mut limits = Limits {
            processor_mailbox_messages: 1000,
            connection_in_flight_requests: 4,
            connection_waiting_requests: 100,
            connection_long_requests: 2,
            connection_unread_bytes: 4096,
            ..Limits::tiny()
        };
        change(&mut limits);
        let (ingress, outbound) = (Arc::new(Ingress::new(&limits)), Arc::new(Outbound::default()));
        (Brake::new(&limits, ingress, outbound.clone()), outbound)
    }

    fn is_open(brake: &Brake) -> bool {
        brake.poll_open(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn reading_stops_at_the_bound_and_goes_on_at_half() {
        let (brake, _) = brake(|_| {});
        for _ in 0..4 {
            assert!(is_open(&brake));
            assert!(brake.admit(Weight::Short));
        }
        assert!(!is_open(&brake));
        brake.settle(Weight::Short);
        assert!(!is_open(&brake), "three of four are still in flight");
        brake.settle(Weight::Short);
        assert!(is_open(&brake));
    }

    #[test]
    fn requests_that_wait_for_the_processor_stop_the_reading_too() {
        let (brake, _) = brake(|limits| limits.connection_waiting_requests = 2);
        assert!(brake.admit(Weight::Short) && brake.admit(Weight::Short));
        assert!(!is_open(&brake));
        brake.taken();
        assert!(is_open(&brake), "one of two is half");
    }

    #[test]
    fn unread_answers_stop_the_reading() {
        let (brake, outbound) = brake(|_| {});
        for _ in 0..3 {
            assert!(is_open(&brake));
            outbound.queue(1000);
        }
        assert!(!is_open(&brake), "3,000 bytes, and what the messages take besides, are over 4,096");
        outbound.written(1000);
        assert!(!is_open(&brake));
        outbound.written(1000);
        assert!(is_open(&brake), "one of them is less than half");
    }

    #[actix_rt::test]
    async fn large_answers_wait_for_the_peer() {
        let (brake, outbound) = brake(|_| {});
        let brake = Arc::new(brake);
        brake.drained().await;
        outbound.queue(5000);
        let waiting = actix_rt::spawn({
            let brake = brake.clone();
            async move { brake.drained().await }
        });
        actix_rt::task::yield_now().await;
        brake.written();
        actix_rt::task::yield_now().await;
        assert!(!waiting.is_finished());
        outbound.written(5000);
        brake.written();
        waiting.await.unwrap();
    }

    #[test]
    fn long_requests_do_not_stop_the_reading_but_have_their_own_bound() {
        let (brake, _) = brake(|_| {});
        assert!(brake.admit(Weight::Long) && brake.admit(Weight::Long));
        assert!(!brake.admit(Weight::Long), "the third of two");
        assert!(is_open(&brake));
        brake.settle(Weight::Long);
        assert!(brake.admit(Weight::Long));
    }

    #[test]
    fn a_parked_notification_stops_the_reading_until_it_is_taken() {
        let (brake, _) = brake(|_| {});
        brake.park();
        assert!(!is_open(&brake));
        brake.unpark();
        assert!(is_open(&brake));
    }

    #[test]
    fn with_bounds_of_one_each_request_is_answered_before_the_next_is_read() {
        let (brake, _) = brake(|limits| *limits = Limits { processor_mailbox_messages: 1000, ..Limits::tiny() });
        assert!(is_open(&brake));
        assert!(brake.admit(Weight::Short));
        brake.taken();
        assert!(!is_open(&brake));
        brake.settle(Weight::Short);
        assert!(is_open(&brake));
    }

    #[test]
    fn in_a_crowded_mailbox_there_is_room_for_those_who_have_nothing_in_it() {
        let limits = Limits {
            processor_mailbox_messages: 8,
            connection_in_flight_requests: 64,
            connection_waiting_requests: 16,
            connection_unread_bytes: 4096,
            ..Limits::tiny()
        };
        let ingress = Arc::new(Ingress::new(&limits));
        let brake = || Brake::new(&limits, ingress.clone(), Arc::default());
        let (flooder, polite) = (brake(), brake());
        for _ in 0..7 {
            assert!(is_open(&flooder) && flooder.admit(Weight::Short));
        }
        assert!(!is_open(&flooder), "seven of eight are its own");
        assert!(!is_open(&polite), "the processor has a turn first");
        assert!(is_open(&polite) && polite.admit(Weight::Short), "then there is room for one that has none");
        assert!(!is_open(&polite), "its first request waits");
        for _ in 0..4 {
            flooder.taken();
        }
        assert!(is_open(&flooder), "three of its own are left");
    }
}
