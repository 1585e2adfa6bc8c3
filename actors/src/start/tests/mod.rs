//! The whole hub, with mailboxes for one message where that is the point (laws 1, 2 and 3).

mod vital;

use std::collections::BTreeMap;
use std::time::Duration;

use actix_rt::time::timeout;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, split};
use tokio::sync::oneshot;

use super::*;
use crate::catalog::CatalogSources;
use crate::connection::ConnectionOrigin;
use crate::connection::intake::{Intake, Taken};
use crate::connection::stream::{Ended, serve};
use crate::limits::Seconds;
use crate::processor::hold::Hold;
use crate::protocol::ServerNotification;
use crate::protocol::scope::Scopes;
use crate::protocol::thread::{ThreadId, ThreadStatus};
use crate::router::{Audience, Outcome};

/// Everything that is awaited in here is over in milliseconds; a deadlock must not hold the suite up.
const SOON: Duration = Duration::from_secs(60);

/// What goes with a test: the home of its hub, and what holds the hub's threads and descriptors, of which a whole suite
/// needs more than many a system gives to one process.
pub(crate) struct Remains {
    _home: tempfile::TempDir,
    actors: Actors,
    store: Arc<Addr<Store>>,
}

impl Drop for Remains {
    fn drop(&mut self) {
        self.actors.expect_end();
        // The link and remote control hold each other's addresses.
        self.actors.remote_arbiter.stop();
    }
}

/// A hub on the calling arbiter, its database in memory, in a home that goes with the test.
pub(crate) fn hub(limits: Limits) -> (Hub, Remains) {
    let home = tempfile::tempdir().unwrap();
    let vitals = Vitals::default();
    let catalog = Catalog::start(CatalogSources::new(home.path().into(), home.path().into()), &limits, &vitals);
    let host = Host {
        codex_home: home.path().into(),
        session_source: "vscode".into(),
        cwd: home.path().into(),
        os: "Linux".into(),
        terminal: "none".into(),
    };
    let store = Store::in_memory(&limits, &Arc::default(), &vitals).unwrap();
    let account = Arc::new(Credentials::new(home.path()));
    let actors = Actors::start(ActorsParts {
        listeners: Vec::new(),
        traces: Default::default(),
        limits: Arc::new(limits),
        host,
        store: store.clone(),
        catalog,
        models: ModelSetup::offline(&account),
        turns: TurnLimits::small(),
        mcp: McpLimits::usual(),
        account,
        metrics: Arc::default(),
        clock: Clock::system(),
        commands: CommandSetup::default(),
        remote_control: RemoteControlSetup::tiny(),
        remote_link: RemoteLinkLimits::small(),
        vitals,
    });
    (actors.hub().clone(), Remains { _home: home, actors, store })
}

/// Every queue that is waited for has room for one message; those at whose bound a client is cut have room.
pub(crate) fn cramped() -> Limits {
    Limits {
        stream_outbound_messages: 1024,
        outbound_bytes: 1 << 20,
        message_bytes: 1 << 20,
        thread_idle_seconds: Seconds(60),
        ..Limits::tiny()
    }
}

struct Client {
    writer: WriteHalf<DuplexStream>,
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    /// How often each id was answered with something else than -32001.
    answered: BTreeMap<i64, usize>,
}

impl Client {
    fn connect(hub: &Hub) -> Self {
        let (ours, theirs) = tokio::io::duplex(4096);
        let hub = hub.clone();
        actix_rt::spawn(async move {
            let (reader, writer) = split(theirs);
            serve(reader, writer, ConnectionOrigin::InProcess, Scopes::ALL, &hub).await
        });
        let (reader, writer) = split(ours);
        Self { writer, lines: BufReader::new(reader).lines(), answered: BTreeMap::new() }
    }

    async fn send(&mut self, message: &Value) {
        self.writer.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn receive(&mut self) -> Value {
        let line = timeout(SOON, self.lines.next_line()).await.expect("the hub answers").unwrap();
        serde_json::from_str(&line.expect("the connection stays")).unwrap()
    }

    /// The next message that is no notification.
    async fn answer(&mut self) -> Value {
        loop {
            let message = self.receive().await;
            if message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Sends a request, again while the server is overloaded, and returns its answer.
    async fn ask(&mut self, id: i64, method: &str, params: Value) -> Value {
        loop {
            self.send(&json!({"id": id, "method": method, "params": params})).await;
            let answer = self.answer().await;
            assert_eq!(answer["id"], id, "{answer}");
            if answer["error"]["code"] != -32001 {
                *self.answered.entry(id).or_default() += 1;
                return answer;
            }
            // As a good client does; asking again at once would keep the arbiter busy with refusals.
            actix_rt::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn initialize(&mut self) {
        let answer = self.ask(0, "initialize", json!({"clientInfo": {"name": "test", "version": "1"}})).await;
        assert!(answer["result"]["userAgent"].is_string(), "{answer}");
    }
}

/// One client's life: every kind of request, through every actor.
async fn live(hub: Hub) {
    let mut client = Client::connect(&hub);
    client.initialize().await;
    let started = client.ask(1, "thread/start", json!({})).await;
    let thread = json!({"threadId": started["result"]["thread"]["id"]});
    let with = |more: Value| {
        let mut params = thread.clone();
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        params
    };
    for round in 0..4 {
        let base = 10 * (round + 1);
        for (offset, method, params) in [
            (0, "thread/name/set", with(json!({"name": format!("round {round}")}))),
            (1, "thread/read", thread.clone()),
            (2, "thread/resume", thread.clone()),
            (3, "thread/list", json!({})),
            (4, "config/read", json!({})),
            (5, "thread/loaded/list", json!({})),
            (6, "thread/unsubscribe", thread.clone()),
            (9, "fs/getMetadata", json!({"path": "/"})),
        ] {
            let answer = client.ask(base + offset, method, params).await;
            assert!(answer.get("result").is_some(), "{method}: {answer}");
        }
        // A turn waits for its place in the database's mailbox.
        let turn = client.ask(base + 7, "turn/start", with(json!({"input": []}))).await;
        assert!(turn.get("result").is_some(), "{turn}");
        let unknown = client.ask(base + 8, "no/such/method", json!({})).await;
        assert_eq!(unknown["error"]["code"], -32601, "{unknown}");
    }
    client.ask(1000, "thread/delete", thread).await;
    assert!(client.answered.values().all(|times| *times == 1), "{:?}", client.answered);
}

#[actix_rt::test]
async fn with_mailboxes_for_one_message_nothing_deadlocks_and_every_request_is_answered_once() {
    let (hub, _remains) = hub(cramped());
    let clients: Vec<_> = (0..4).map(|_| actix_rt::spawn(live(hub.clone()))).collect();
    for client in clients {
        timeout(SOON, client).await.expect("no deadlock").unwrap();
    }
}

#[actix_rt::test]
async fn the_processors_mailbox_takes_its_capacity_however_many_connections_there_are() {
    for capacity in [1, 4, 128] {
        let limits = Limits { processor_mailbox_messages: capacity, ..cramped() };
        let (hub, _remains) = hub(limits);
        // Lets the actors start; from here on nothing is awaited, so the processor takes nothing out.
        actix_rt::time::sleep(Duration::from_millis(20)).await;
        let connections: Vec<_> = (0..8).map(|_| Intake::new(&hub, ConnectionOrigin::InProcess, Scopes::ALL)).collect();
        let request = r#"{"id":1,"method":"thread/loaded/list"}"#;
        let mut refused = 0;
        for _ in 0..100 {
            for connection in &connections {
                if let Taken::Refused(frame) = connection.take(request) {
                    assert!(frame.text().contains("-32001"), "{}", frame.text());
                    refused += 1;
                }
            }
        }
        assert_eq!(800 - refused, capacity, "accepted");
    }
}

#[actix_rt::test]
async fn a_notification_waits_for_room_and_its_connection_is_not_read_meanwhile() {
    let (hub, _remains) = hub(Limits { connection_in_flight_requests: 8, connection_waiting_requests: 8, ..cramped() });
    actix_rt::time::sleep(Duration::from_millis(20)).await;
    let connection = Intake::new(&hub, ConnectionOrigin::InProcess, Scopes::ALL);
    // Not a request, of which a few stop the reading already.
    let [fills, waits] = [(); 2].map(|()| connection.take(r#"{"method":"initialized"}"#));
    assert!(matches!((fills, waits), (Taken::InHand, Taken::InHand)));
    let mut reading = connection.braked(futures_util::stream::iter([()]), |()| 0);
    assert!(futures_util::poll!(reading.next()).is_pending());
    timeout(SOON, reading.next()).await.expect("goes on when the notification was taken");
}

#[actix_rt::test]
async fn what_goes_out_goes_on_while_a_notification_waits_and_the_reading_rests() {
    const NEWS: usize = 100;
    let (hub, _remains) = hub(Limits { connection_in_flight_requests: 8, connection_waiting_requests: 8, ..cramped() });
    let mut client = Client::connect(&hub);
    client.initialize().await;
    let (release, until) = oneshot::channel();
    hub.processor().send(Hold { until }).await.unwrap();

    // The first notification fills the mailbox, the second waits in front of it, and what comes behind is more than the
    // pipe holds: it is taken as soon as the connection is read on.
    client.send(&json!({"method": "initialized"})).await;
    client.send(&json!({"method": "initialized"})).await;
    let behind = format!("{}{}\n", " ".repeat(1 << 16), json!({"id": 1, "method": "thread/loaded/list"}));
    let Client { writer, lines, .. } = &mut client;
    let mut written = Box::pin(writer.write_all(behind.as_bytes()));
    let mut news = 0;
    let thread_id = ThreadId::new();
    while news < NEWS {
        let notification = ServerNotification::ThreadStatusChanged { thread_id, status: ThreadStatus::Idle };
        hub.router().send(Outcome::none().tell(Audience::Everyone, notification)).await.unwrap();
        assert!(futures_util::poll!(&mut written).is_pending(), "read although a notification waits");
        let line = timeout(SOON, lines.next_line()).await.expect("what goes out goes on").unwrap().unwrap();
        // The greeting of a new client may still be among it.
        news += usize::from(line.contains("thread/status/changed"));
    }

    release.send(()).unwrap();
    timeout(SOON, written).await.expect("read on").unwrap();
    let answer = client.answer().await;
    assert!(answer["id"] == 1 && answer["result"].is_object(), "{answer}");
}

#[actix_rt::test]
async fn a_long_list_of_connections_is_encoded_by_a_worker() {
    // Nobody encodes large answers here, and one request in flight does not stop the reading.
    let (hub, _remains) = hub(Limits {
        answer_workers: 0,
        connection_in_flight_requests: 8,
        connection_waiting_requests: 8,
        connection_in_flight_bytes: 1 << 20,
        large_message_bytes: 1 << 20,
        ..cramped()
    });
    let mut client = Client::connect(&hub);
    client.initialize().await;
    let few = client.ask(1, "server/diagnostics", json!({})).await;
    assert_eq!(few["result"]["connections"].as_array().map(Vec::len), Some(1), "{few}");
    let mut others: Vec<_> = (0..600).map(|_| Client::connect(&hub)).collect();
    for other in &mut others {
        // Answered, so the router knows of it.
        other.initialize().await;
    }
    client.send(&json!({"id": 2, "method": "server/diagnostics", "params": {}})).await;
    for id in 3..10 {
        client.ask(id, "config/read", json!({})).await;
    }
}

#[actix_rt::test]
async fn the_end_of_the_input_loses_no_answer() {
    let (hub, _remains) =
        hub(Limits { connection_in_flight_requests: 64, connection_waiting_requests: 16, ..cramped() });
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let served = actix_rt::spawn({
        let hub = hub.clone();
        async move {
            let (reader, writer) = split(theirs);
            serve(reader, writer, ConnectionOrigin::InProcess, Scopes::ALL, &hub).await
        }
    });
    let (reader, mut writer) = split(ours);
    let mut input = String::new();
    for id in 0..500 {
        input.push_str(&format!("{{\"id\":{id},\"method\":\"thread/loaded/list\"}}\n"));
    }
    writer.write_all(input.trim_end().as_bytes()).await.unwrap();
    writer.shutdown().await.unwrap();
    let mut lines = BufReader::new(reader).lines();
    let mut answers = 0;
    while let Some(line) = timeout(SOON, lines.next_line()).await.unwrap().unwrap() {
        assert!(line.contains("Not initialized") || line.contains("-32001"), "{line}");
        answers += 1;
    }
    assert_eq!(answers, 500);
    assert_eq!(timeout(SOON, served).await.unwrap().unwrap(), Ended::Finished);
}

#[actix_rt::test]
async fn a_drain_refuses_work_answers_the_rest_and_says_goodbye() {
    let (hub, _remains) = hub(cramped());
    let mut client = Client::connect(&hub);
    client.initialize().await;
    assert!(!hub.is_draining());
    timeout(SOON, hub.drain()).await.unwrap();
    assert!(hub.is_draining());
    let refused = client.ask(1, "thread/start", json!({})).await;
    assert_eq!(refused["error"]["data"]["reason"], "serverShuttingDown", "{refused}");
    let served = client.ask(2, "thread/loaded/list", json!({})).await;
    assert!(served.get("result").is_some(), "{served}");
    timeout(SOON, hub.close_connections(SOON)).await.unwrap();
    // What was told before it may still be on its way.
    let rest = async { while client.lines.next_line().await.unwrap().is_some() {} };
    timeout(SOON, rest).await.expect("the connection ends");
}
