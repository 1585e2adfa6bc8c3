//! Tests of the router with connections that are plain actors with mailboxes for one message.

use std::sync::Mutex;
use std::time::Duration;

use actix::Context;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::connection::ConnectionOrigin;
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::outbound::Outbound;
use crate::connection::pulse::Pulse;
use crate::limits::Seconds;
use crate::protocol::RequestId;
use crate::protocol::notification::ItemDelta;
use crate::protocol::scope::Scopes;

/// Stands in for a client: keeps what it is sent, or keeps its mailbox full.
struct Client {
    seen: Arc<Mutex<Vec<String>>>,
    /// Addresses of the texts in memory.
    places: Arc<Mutex<Vec<usize>>>,
    outbound: Arc<Outbound>,
    capacity: usize,
    /// Never handles a message, like a WebSocket actor whose peer does not read.
    frozen: bool,
}

impl Actor for Client {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.capacity);
        if self.frozen {
            ctx.wait(actix::fut::wrap_future(futures_util::future::pending()));
        }
    }
}

impl Handler<Deliver> for Client {
    type Result = ();

    fn handle(&mut self, message: Deliver, _: &mut Self::Context) {
        let text = match message {
            Deliver::Frame { frame, .. } => {
                self.outbound.written(1, frame.len());
                self.places.lock().unwrap().push(frame.text().as_ptr().addr());
                frame.text().to_string()
            }
            Deliver::Close { reason } => format!("{reason:?}"),
            Deliver::Ping => "Ping".to_owned(),
        };
        self.seen.lock().unwrap().push(text);
    }
}

struct Connected {
    id: ConnectionId,
    seen: Arc<Mutex<Vec<String>>>,
    places: Arc<Mutex<Vec<usize>>>,
    outbound: Arc<Outbound>,
    pulse: Arc<Pulse>,
    cut: CancellationToken,
}

impl Connected {
    fn methods(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|text| text.split('"').nth(3).unwrap_or_default().to_owned()).collect()
    }
}

fn limits(change: impl FnOnce(&mut Limits)) -> Arc<Limits> {
    let mut limits = Limits { router_mailbox_messages: 1, ..Limits::tiny() };
    change(&mut limits);
    Arc::new(limits)
}

async fn connect(router: &Addr<Router>, id: u64, capacity: usize, frozen: bool) -> Connected {
    connect_until(router, id, capacity, frozen, None).await
}

async fn connect_until(
    router: &Addr<Router>,
    id: u64,
    capacity: usize,
    frozen: bool,
    valid_until: Option<i64>,
) -> Connected {
    let (seen, outbound) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Outbound::default()));
    let places = Arc::<Mutex<Vec<usize>>>::default();
    let client =
        Client { seen: seen.clone(), places: places.clone(), outbound: outbound.clone(), capacity, frozen }.start();
    let (id, cut, pulse) = (ConnectionId(id), CancellationToken::new(), Arc::<Pulse>::default());
    let register = Register {
        connection: id,
        origin: ConnectionOrigin::Tcp,
        address: String::new(),
        deliver: client.recipient(),
        outbound: outbound.clone(),
        pulse: pulse.clone(),
        kill: Kill::Token(cut.clone()),
        valid_until,
    };
    router.send(register).await.unwrap();
    Connected { id, seen, places, outbound, pulse, cut }
}

fn admit(client: &Connected, opt_out: &[&str]) -> Outcome {
    let opt_out = opt_out.iter().map(ToString::to_string).collect();
    Outcome::none().then(Effect::Admit {
        connection: client.id,
        client: "test 1".to_owned(),
        opt_out,
        scopes: Scopes::ALL,
    })
}

fn closed(thread: ThreadId) -> ServerNotification {
    ServerNotification::ThreadClosed { thread_id: thread }
}

#[actix_rt::test]
async fn only_initialized_connections_that_did_not_opt_out_are_told() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let plain = connect(&router, 1, 8, false).await;
    let quiet = connect(&router, 2, 8, false).await;
    let stranger = connect(&router, 3, 8, false).await;
    router.send(admit(&plain, &[])).await.unwrap();
    router.send(admit(&quiet, &["thread/closed"])).await.unwrap();
    let thread = ThreadId::new();
    let archived = ServerNotification::ThreadArchived { thread_id: thread };
    let news = Outcome::none().tell(Audience::Everyone, closed(thread)).tell(Audience::Everyone, archived);
    router.send(news).await.unwrap();
    actix_rt::task::yield_now().await;
    assert_eq!(plain.methods(), ["thread/closed", "thread/archived"]);
    assert_eq!(quiet.methods(), ["thread/archived"]);
    assert!(stranger.methods().is_empty());
}

#[actix_rt::test]
async fn a_broadcast_is_one_text_for_all() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let mut places = Vec::new();
    for id in 0..3 {
        let client = connect(&router, id, 8, false).await;
        router.send(admit(&client, &[])).await.unwrap();
        places.push(client.places);
    }
    router.send(Outcome::none().tell(Audience::Everyone, closed(ThreadId::new()))).await.unwrap();
    actix_rt::task::yield_now().await;
    let places: Vec<Vec<usize>> = places.iter().map(|places| places.lock().unwrap().clone()).collect();
    assert_eq!(places[0].len(), 1);
    assert!(places.iter().all(|place| *place == places[0]), "the same bytes in memory: {places:?}");
}

#[actix_rt::test]
async fn subscribers_are_told_until_they_leave() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let (follower, other) = (connect(&router, 1, 8, false).await, connect(&router, 2, 8, false).await);
    let thread = ThreadId::new();
    router.send(admit(&follower, &[]).then(Effect::Subscribe { connection: follower.id, thread })).await.unwrap();
    router.send(admit(&other, &[])).await.unwrap();
    assert_eq!(router.send(SubscribedThreads).await.unwrap(), [thread]);
    let tell = || Outcome::none().tell(Audience::Subscribers(thread), closed(thread));
    router.send(tell()).await.unwrap();
    let unsubscribe = || Unsubscribe { connection: follower.id, thread };
    assert!(router.send(unsubscribe()).await.unwrap());
    assert!(!router.send(unsubscribe()).await.unwrap(), "twice changes nothing");
    router.send(tell()).await.unwrap();
    actix_rt::task::yield_now().await;
    assert_eq!(follower.methods().len(), 1);
    assert!(other.methods().is_empty());
    assert!(router.send(SubscribedThreads).await.unwrap().is_empty());
}

#[actix_rt::test]
async fn a_full_mailbox_cuts_its_connection_and_nobody_else() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let (frozen, lively) = (connect(&router, 1, 2, true).await, connect(&router, 2, 8, false).await);
    for client in [&frozen, &lively] {
        router.send(admit(client, &[])).await.unwrap();
    }
    for _ in 0..2 {
        router.send(Outcome::none().tell(Audience::Everyone, closed(ThreadId::new()))).await.unwrap();
    }
    assert!(!frozen.pulse.is_given_up(), "two fit");
    router.send(Outcome::none().tell(Audience::Everyone, closed(ThreadId::new()))).await.unwrap();
    assert!(frozen.pulse.is_given_up());
    actix_rt::task::yield_now().await;
    assert_eq!(lively.methods().len(), 3);
    assert!(!lively.pulse.is_given_up());
}

#[actix_rt::test]
async fn bytes_over_the_budget_cut_but_one_large_message_passes() {
    let router = Router::new(limits(|limits| limits.outbound_bytes = 100), Arc::default(), Clock::system()).start();
    let client = connect(&router, 1, 100, true).await;
    let large = || Frame::result(&RequestId::Integer(1), &"x".repeat(200));
    router.send(Outcome::answer(client.id, large(), InFlight::of_a_test())).await.unwrap();
    assert!(!client.pulse.is_given_up(), "nothing was queued before it");
    router.send(Outcome::answer(client.id, large(), InFlight::of_a_test())).await.unwrap();
    assert!(client.pulse.is_given_up());
}

#[actix_rt::test]
async fn the_clocks_ping_close_and_cut() {
    let limits = limits(|limits| limits.initialize_seconds = Seconds(2));
    let mut router = Router::new(limits, Arc::default(), Clock::system());
    let start = Instant::now();
    let (seen, pulse, cut) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Pulse>::default(), CancellationToken::new());
    let outbound = Arc::new(Outbound::default());
    let client =
        Client { seen: seen.clone(), places: Arc::default(), outbound: outbound.clone(), capacity: 8, frozen: false }
            .start();
    let register = Register {
        connection: ConnectionId(1),
        origin: ConnectionOrigin::Tcp,
        address: String::new(),
        deliver: client.recipient(),
        outbound,
        pulse: pulse.clone(),
        kill: Kill::Token(cut.clone()),
        valid_until: None,
    };
    router.peers.insert(ConnectionId(1), Peer::new(register, start, None));
    for (second, told) in [(1, "Ping"), (2, "NotInitialized"), (3, "")] {
        router.check_clocks(start + Duration::from_secs(second));
        actix_rt::task::yield_now().await;
        assert_eq!(seen.lock().unwrap().pop().unwrap_or_default(), told);
    }
    assert!(pulse.is_closing() && !cut.is_cancelled(), "its goodbye is on its way");
    router.check_clocks(start + Duration::from_secs(4));
    assert!(cut.is_cancelled());
    assert!(router.peers.is_empty());
}

#[actix_rt::test]
async fn after_a_stop_nobody_is_judged_before_what_has_arrived_is_read() {
    let limits = limits(|limits| limits.initialize_seconds = Seconds(60));
    let mut router = Router::new(limits, Arc::default(), Clock::system());
    let start = Instant::now();
    let (seen, outbound) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Outbound::default()));
    let client =
        Client { seen: seen.clone(), places: Arc::default(), outbound: outbound.clone(), capacity: 8, frozen: false }
            .start();
    let register = Register {
        connection: ConnectionId(1),
        origin: ConnectionOrigin::Tcp,
        address: String::new(),
        deliver: client.recipient(),
        outbound,
        pulse: Arc::default(),
        kill: Kill::Token(CancellationToken::new()),
        valid_until: None,
    };
    router.peers.insert(ConnectionId(1), Peer::new(register, start, None));
    for (second, told) in [(1, "Ping"), (1_000, ""), (2_000, "NotInitialized")] {
        router.check_clocks(start + Duration::from_secs(second));
        actix_rt::task::yield_now().await;
        let told_last = seen.lock().unwrap().pop().unwrap_or_default();
        assert_eq!(told_last, told, "after {second} s; a second late check in a row judges");
    }
}

#[actix_rt::test]
async fn closing_waits_for_the_last_connection() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let client = connect(&router, 1, 8, false).await;
    let closing = actix_rt::spawn(router.send(CloseAll));
    actix_rt::task::yield_now().await;
    actix_rt::task::yield_now().await;
    assert_eq!(*client.seen.lock().unwrap(), ["ShuttingDown"]);
    assert!(!closing.is_finished());
    router.send(Outcome::none().then(Effect::Forget { connection: client.id })).await.unwrap();
    closing.await.unwrap().unwrap();
}

/// Checks the timers now, as the router does every second.
#[derive(Message)]
#[rtype(result = "()")]
struct Tick;

impl Handler<Tick> for Router {
    type Result = ();

    fn handle(&mut self, _: Tick, _: &mut Self::Context) {
        self.close_expired();
    }
}

#[actix_rt::test]
async fn a_connection_is_closed_when_its_token_has_expired_whatever_the_wall_clock_says() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let (wall, steady) = (Arc::new(AtomicU64::new(1000)), Arc::new(AtomicU64::new(0)));
    let (shown, passed) = (wall.clone(), steady.clone());
    let clock = Clock::from_fn(move || std::time::UNIX_EPOCH + Duration::from_secs(shown.load(Ordering::Relaxed)));
    let clock = clock.with_steady(move || Duration::from_secs(passed.load(Ordering::Relaxed)));
    let router = Router::new(limits(|_| {}), Arc::default(), clock).start();
    let expiring = connect_until(&router, 1, 8, false, Some(1001)).await;
    let lasting = connect(&router, 2, 8, false).await;
    let seen = |client: &Connected| client.seen.lock().unwrap().clone();
    // The wall clock is set forward, then back.
    for (second, now) in [(1, 100_000), (1, 10)] {
        wall.store(now, Ordering::Relaxed);
        steady.store(second, Ordering::Relaxed);
        router.send(Tick).await.unwrap();
        actix_rt::task::yield_now().await;
        assert!(seen(&expiring).is_empty(), "this is its last second");
    }
    for second in [2, 3] {
        steady.store(second, Ordering::Relaxed);
        router.send(Tick).await.unwrap();
        actix_rt::task::yield_now().await;
        assert_eq!(seen(&expiring), ["TokenExpired"], "it is told once");
    }
    assert!(seen(&lasting).is_empty() && !expiring.cut.is_cancelled());
}

#[actix_rt::test]
async fn whoever_hands_over_a_flood_sees_what_is_queued() {
    let router = Router::new(limits(|_| {}), Arc::default(), Clock::system()).start();
    let client = connect(&router, 1, 1, true).await;
    let method = "command/exec/outputDelta";
    let frame = || Frame::result(&RequestId::Integer(1), &());
    let hand_over = |frame| router.send(HandOver { connection: client.id, method, frame });

    assert!(hand_over(frame()).await.unwrap().is_none(), "nothing goes to a connection that is not initialized");
    router.send(admit(&client, &[])).await.unwrap();
    let outbound = hand_over(frame()).await.unwrap().unwrap();
    assert!(outbound.queued_bytes() >= frame().len());
    router.send(Outcome::none().then(Effect::Forget { connection: client.id })).await.unwrap();
    outbound.room(0).await;
    assert!(hand_over(frame()).await.unwrap().is_none(), "nobody is there");
}

#[actix_rt::test]
async fn text_is_joined_for_a_peer_that_is_behind_and_for_no_other() {
    let limits = limits(|limits| (limits.joined_from_bytes, limits.outbound_bytes) = (2 * 512, 1 << 20));
    let router = Router::new(limits, Arc::default(), Clock::system()).start();
    let (slow, quick) = (connect(&router, 1, 64, false).await, connect(&router, 2, 64, false).await);
    let thread_id = ThreadId::new();
    for client in [&slow, &quick] {
        let follow = Effect::Subscribe { connection: client.id, thread: thread_id };
        router.send(admit(client, &[]).then(follow)).await.unwrap();
    }
    let delta = |text: &str| {
        let [turn_id, item_id, delta] = ["t", "i", text].map(str::to_owned);
        ServerNotification::AgentMessageDelta(ItemDelta { thread_id, turn_id, item_id, delta })
    };
    const UNREAD: usize = 4096;
    slow.outbound.queue(UNREAD);
    let text = |client: &Connected| -> Vec<String> {
        let seen = client.seen.lock().unwrap();
        let delta = |frame: &String| {
            let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
            Some(frame["params"]["delta"].as_str()?.to_owned())
        };
        seen.iter().filter_map(delta).collect()
    };
    for number in 0..9 {
        router.send(Outcome::none().publish(delta(&number.to_string()))).await.unwrap();
        actix_rt::task::yield_now().await;
    }
    assert_eq!((text(&quick).len(), text(&slow).len()), (9, 0));
    router.send(Outcome::none().publish(closed(thread_id)).publish(delta("later"))).await.unwrap();
    actix_rt::task::yield_now().await;
    assert_eq!(text(&slow), ["012345678"]);
    assert_eq!(slow.methods().last().unwrap(), "thread/closed", "what follows comes after it");

    slow.outbound.written(0, UNREAD);
    let caught_up = async {
        while text(&slow).len() < 2 {
            actix_rt::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), caught_up).await.expect("nothing waits for ever");
    assert_eq!(text(&slow)[1], "later");
}
