//! Tests of the brake and the shared ingress, without a wire.

use std::task::{Wake, Waker};

use futures_util::poll;

use super::*;
use crate::connection::ingress::Ticket;

fn brake(change: impl FnOnce(&mut Limits)) -> (Arc<Brake>, Arc<Outbound>) {
    let mut limits = Limits {
        processor_mailbox_messages: 1000,
        connection_in_flight_requests: 4,
        connection_waiting_requests: 100,
        connection_long_requests: 2,
        connection_in_flight_bytes: 1000,
        large_message_bytes: 500,
        in_flight_bytes: 2000,
        connection_unread_bytes: 4096,
        ..Limits::tiny()
    };
    change(&mut limits);
    let (ingress, outbound) = (Arc::new(Ingress::new(&limits)), Arc::new(Outbound::default()));
    (Arc::new(Brake::new(&limits, Meter::of_a_test(), ingress, outbound.clone())), outbound)
}

fn is_open(brake: &Brake) -> bool {
    brake.poll_open(&mut Context::from_waker(Waker::noop())).is_ready()
}

fn short(brake: &Arc<Brake>, bytes: usize) -> InFlight {
    brake.admit(Weight::Short, bytes, None).unwrap()
}

fn long(brake: &Arc<Brake>, bytes: usize) -> Option<InFlight> {
    brake.admit(Weight::Long, bytes, None)
}

#[test]
fn reading_stops_at_the_bound_and_goes_on_at_half() {
    let (brake, _) = brake(|_| {});
    let mut requests: Vec<InFlight> = (0..4)
        .map(|_| {
            assert!(is_open(&brake));
            short(&brake, 1)
        })
        .collect();
    assert!(!is_open(&brake));
    requests.pop();
    assert!(!is_open(&brake), "three of four are still in flight");
    requests.pop();
    assert!(is_open(&brake));
}

#[test]
fn bytes_in_flight_stop_the_reading_and_one_large_request_passes() {
    let (brake, _) = brake(|_| {});
    let first = short(&brake, 600);
    assert!(is_open(&brake), "600 of 1,000");
    let second = short(&brake, 400);
    assert!(!is_open(&brake));
    drop(second);
    assert!(!is_open(&brake), "600 are more than half");
    drop(first);
    let alone = short(&brake, 1_000_000);
    assert!(!is_open(&brake));
    drop(alone);
    assert!(is_open(&brake));
}

#[test]
fn requests_that_wait_for_the_processor_stop_the_reading_too() {
    let (brake, _) = brake(|limits| limits.connection_waiting_requests = 2);
    let _requests = [short(&brake, 1), short(&brake, 1)];
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
    outbound.written(1, 1000);
    assert!(!is_open(&brake));
    outbound.written(1, 1000);
    assert!(is_open(&brake), "one of them is less than half");
}

#[actix_rt::test]
async fn large_answers_wait_for_the_peer() {
    let (brake, outbound) = brake(|_| {});
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
    outbound.written(1, 5000);
    brake.written();
    waiting.await.unwrap();
}

#[test]
fn long_requests_do_not_stop_the_reading_but_have_their_own_bounds() {
    let (brake, _) = brake(|_| {});
    let first = long(&brake, 400).unwrap();
    let second = long(&brake, 400).unwrap();
    assert!(long(&brake, 1).is_none(), "the third of two");
    drop(second);
    assert!(long(&brake, 601).is_none(), "400 and 601 of 1,000");
    assert!(is_open(&brake) && !brake.is_idle());
    drop(first);
    let alone = long(&brake, 1_000_000);
    assert!(alone.is_some() && is_open(&brake));
    assert!(long(&brake, 1).is_none());
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
    let (brake, _) = brake(|limits| *limits = Limits::tiny());
    assert!(is_open(&brake));
    let request = short(&brake, 1);
    brake.taken();
    assert!(!is_open(&brake));
    drop(request);
    assert!(is_open(&brake));
}

/// Brakes with a common ingress.
fn brakes(limits: &Limits) -> impl Fn() -> Arc<Brake> {
    let ingress = Arc::new(Ingress::new(limits));
    move || Arc::new(Brake::new(limits, Meter::of_a_test(), ingress.clone(), Arc::default()))
}

/// A reader that asks for its turn.
fn may_go(brake: &Brake, ticket: &mut Option<Ticket>) -> bool {
    brake.ingress().poll_turn(ticket, &mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn while_the_mailbox_is_half_full_readers_queue_up_and_keep_their_places() {
    let limits = Limits { processor_mailbox_messages: 8, ..Limits::tiny() };
    let brake = brakes(&limits);
    let (flooder, polite, late) = (brake(), brake(), brake());
    let (mut first, mut second, mut third) = (None, None, None);
    let _flood: Vec<InFlight> = (0..4)
        .map(|_| {
            assert!(may_go(&flooder, &mut first));
            short(&flooder, 1)
        })
        .collect();
    assert!(!may_go(&polite, &mut second), "half of eight");
    assert!(!may_go(&flooder, &mut first) && !may_go(&late, &mut third));
    assert!(second < first && first < third);
    flooder.taken();
    assert!(may_go(&polite, &mut second), "three are left, and it was called");
    let _polite = short(&polite, 1);
    let ticket = first;
    assert!(!may_go(&flooder, &mut first) && first == ticket, "it was too late, and does not begin anew");
}

/// Counts its wake-ups.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[actix_rt::test]
async fn readers_that_sleep_with_their_peers_hold_up_nobody_behind_them() {
    let limits = Limits { processor_mailbox_messages: 2, ..Limits::tiny() };
    let brake = brakes(&limits);
    let busy = brake();
    let request = short(&busy, 1);
    let calls = Arc::new(Calls::default());
    let waker = Waker::from(calls.clone());
    let mut tickets = [None; 5];
    for ticket in &mut tickets {
        assert!(brake().ingress().poll_turn(ticket, &mut Context::from_waker(&waker)).is_pending());
    }
    busy.taken();
    drop(request);
    for _ in &tickets {
        actix_rt::task::yield_now().await;
    }
    assert_eq!(calls.0.load(Ordering::Relaxed), tickets.len());
}

/// A large message that waits for its share of bytes.
fn asks(brake: &Arc<Brake>, bytes: usize) -> impl Future<Output = InFlight> + Unpin + use<> {
    let brake = brake.clone();
    Box::pin(async move {
        let room = brake.room(bytes).await;
        brake.admit(Weight::Short, bytes, room).unwrap()
    })
}

#[actix_rt::test]
async fn large_messages_wait_for_room_and_one_at_a_time_passes_without() {
    let limits = Limits { in_flight_bytes: 100, ..Limits::tiny() };
    let brake = brakes(&limits);
    let (first, second, third) = (brake(), brake(), brake());
    let fills = asks(&first, 1000).await;
    let mut more = asks(&first, 40);
    assert!(poll!(&mut more).is_pending(), "something of its own is in flight");
    let passes = asks(&second, 40).await;
    let mut waits = asks(&third, 40);
    assert!(poll!(&mut waits).is_pending(), "one passes at a time");
    drop(passes);
    let passes = waits.await;
    drop(fills);
    let (_more, _fits) = (more.await, asks(&second, 60).await);
    assert!(poll!(&mut asks(&brake(), 1)).is_pending(), "100 are in flight, and one that passed");
    drop(passes);
    asks(&brake(), 1).await;
}

#[actix_rt::test]
async fn an_answer_gives_the_room_back_before_its_peer_reads_it() {
    let limits = Limits { in_flight_bytes: 100, ..Limits::tiny() };
    let brake = brakes(&limits);
    let first = brake();
    let mut unread = asks(&first, 100).await;
    let _passes = asks(&brake(), 100).await;
    let mut waits = asks(&brake(), 100);
    assert!(poll!(&mut waits).is_pending());
    unread.answered();
    waits.await;
    assert!(!is_open(&first), "it is still in flight");
}

#[test]
fn long_requests_have_room_of_their_own() {
    let limits = Limits { in_flight_bytes: 100, connection_long_requests: 2, ..Limits::tiny() };
    let brake = brakes(&limits);
    let (first, second) = (long(&brake(), 60), long(&brake(), 40));
    assert!(first.is_some() && second.is_some());
    assert!(long(&brake(), 1).is_none());
    drop(first);
    assert!(long(&brake(), 60).is_some());
}
