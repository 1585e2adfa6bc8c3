//! The actor with a backend on loopback and a link that does as it is told. Times are some milliseconds; what time it
//! is says the test.

mod backend;
mod connecting;
mod devices;
mod pairing;
mod wishes;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use actix_rt::time::timeout;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use super::*;
use crate::catalog::CatalogSources;
use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::limits::Limits;
use crate::mailbox::{reserve, start};
use crate::protocol::RequestId;
use crate::protocol::initialize::ClientInfo;
use crate::protocol::remote::{PairingStartParams, RemoteControlEnableParams, RemoteControlRequest};
use crate::protocol::scope::Scopes;
use crate::remote_link::{Decide, Dial, DialError, LinkLost, OpenPairing, Readmit, Revoke, SendRest};
use crate::reply::{Asked, Received, Reply};
use crate::router::Effect;
use crate::router::listener::{Frames, listen};
use crate::vital::Vitals;
use backend::Backend;

/// What is awaited in here is over in milliseconds; a hang must not hold the suite up.
const SOON: Duration = Duration::from_secs(60);

/// When the tests take place: 2026-11-22T12:00:00Z.
const NOW: i64 = 1_795_348_800_000;

/// A link that answers dials as the test has told it to, and remembers what it was told.
struct FakeLink {
    answers: mpsc::Receiver<Result<(), DialError>>,
    told: mpsc::Sender<&'static str>,
}

impl Actor for FakeLink {
    type Context = Context<Self>;
}

impl Handler<Dial> for FakeLink {
    type Result = Result<(), DialError>;

    fn handle(&mut self, dial: Dial, _: &mut Self::Context) -> Self::Result {
        assert!(dial.url.starts_with("ws://127.0.0.1:"), "{}", dial.url);
        let _ = self.told.try_send("dial");
        self.answers.try_recv().unwrap_or(Ok(()))
    }
}

impl Handler<HangUp> for FakeLink {
    type Result = ();

    fn handle(&mut self, _: HangUp, _: &mut Self::Context) {
        let _ = self.told.try_send("hang up");
    }
}

impl Handler<EndSession> for FakeLink {
    type Result = ();

    fn handle(&mut self, _: EndSession, _: &mut Self::Context) {
        let _ = self.told.try_send("end session");
    }
}

impl Handler<SendRest> for FakeLink {
    type Result = ();

    fn handle(&mut self, _: SendRest, _: &mut Self::Context) {
        let _ = self.told.try_send("send rest");
    }
}

impl Handler<Revoke> for FakeLink {
    type Result = ();

    fn handle(&mut self, Revoke { confirmed, .. }: Revoke, _: &mut Self::Context) {
        let _ = self.told.try_send(if confirmed { "revoke, confirmed" } else { "revoke" });
    }
}

impl Handler<Readmit> for FakeLink {
    type Result = ();

    fn handle(&mut self, _: Readmit, _: &mut Self::Context) {
        let _ = self.told.try_send("readmit");
    }
}

impl Handler<OpenPairing> for FakeLink {
    type Result = ();

    fn handle(&mut self, _: OpenPairing, _: &mut Self::Context) {
        let _ = self.told.try_send("open pairing");
    }
}

impl Handler<Decide> for FakeLink {
    type Result = ();

    fn handle(&mut self, decision: Decide, _: &mut Self::Context) {
        let _ = self.told.try_send(if decision.scopes.is_some() { "accept" } else { "refuse" });
    }
}

/// The actor, and everything around it.
struct Scene {
    home: TempDir,
    backend: Backend,
    control: Arc<Addr<RemoteControl>>,
    store: Arc<Addr<Store>>,
    router: Arc<Addr<Router>>,
    dials: mpsc::Sender<Result<(), DialError>>,
    link: mpsc::Receiver<&'static str>,
    news: Frames,
    now: Arc<AtomicI64>,
    requests: i64,
    /// Notifications that came while an answer was awaited.
    kept: VecDeque<Value>,
}

/// What differs from scene to scene.
struct Plan {
    settings: RemoteControlSettings,
    at_start: AtStart,
    named_by_first_client: bool,
    signed_in: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            settings: RemoteControlSettings::tiny(),
            at_start: AtStart::Remembered,
            named_by_first_client: false,
            signed_in: true,
        }
    }
}

impl Scene {
    async fn new() -> Self {
        Self::with(Plan::default()).await
    }

    async fn with(plan: Plan) -> Self {
        let home = tempfile::tempdir().unwrap();
        if plan.signed_in {
            sign_in(&home, "acc-1");
        }
        Self::at(home, Backend::start(), plan, None).await
    }

    async fn at(home: TempDir, backend: Backend, plan: Plan, store: Option<Arc<Addr<Store>>>) -> Self {
        std::fs::write(home.path().join("config.toml"), format!("chatgpt_base_url = '{}'", backend.base_url()))
            .unwrap();
        // The store refuses what does not fit, and it is asked at the start and by the first request at once.
        let limits = Arc::new(Limits { store_mailbox_messages: 8, ..Limits::tiny() });
        let now = Arc::new(AtomicI64::new(NOW));
        let shown = now.clone();
        let clock = Clock::from_fn(move || {
            UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::Relaxed).try_into().unwrap())
        });
        let router = Router::new(limits.clone(), Arc::default(), clock.clone()).start();
        let store = store.unwrap_or_else(|| Store::in_memory(&limits, &Arc::default(), &Vitals::default()).unwrap());
        let host = Host {
            codex_home: home.path().into(),
            session_source: "test".into(),
            cwd: home.path().into(),
            os: "Linux".into(),
            terminal: "none".into(),
        };
        let Plan { settings, at_start, named_by_first_client, .. } = plan;
        let token_url = Some(backend.token_url());
        let setup =
            RemoteControlSetup { settings, at_start, named_by_first_client, token_url, ..RemoteControlSetup::tiny() };
        let catalog =
            Catalog::start(CatalogSources::new(home.path().into(), home.path().into()), &limits, &Vitals::default());
        let (dials, answers) = mpsc::channel(64);
        let (told, link) = mpsc::channel(1024);
        let fake = Link::new(&start(16, FakeLink { answers, told }), Duration::from_secs(30));
        let (control, mailbox) = reserve(setup.settings.mailbox_messages);
        let (shared_store, shared_router) = (store.clone(), router.clone());
        let parts = RemoteControlParts {
            setup,
            host,
            account: Arc::new(Credentials::new(home.path())),
            network: Network::direct(),
            store: shared_store,
            catalog,
            router: shared_router,
            clock,
            metrics: Arc::default(),
            link: fake,
        };
        let connection = ConnectionId(1);
        let news = listen(&router, connection).await;
        let admit =
            Effect::Admit { connection, client: "test 1".to_owned(), opt_out: Default::default(), scopes: Scopes::ALL };
        router.send(Outcome::none().then(admit)).await.unwrap();
        mailbox.run(RemoteControl::new(parts));
        Self { home, backend, control, store, router, dials, link, news, now, requests: 0, kept: VecDeque::new() }
    }

    async fn meet(&self) {
        let client = ClientInfo { name: "phone".into(), version: "1".into() };
        self.control.send(Meet { connection: ConnectionId(1), client }).await.unwrap();
    }

    async fn request(&mut self, request: RemoteControlRequest) -> i64 {
        self.requests += 1;
        let work = TaskTracker::new();
        let id = RequestId::Integer(self.requests);
        let reply = Reply::new(
            ConnectionId(1),
            Received::of_a_test(id),
            InFlight::of_a_test(),
            self.router.clone(),
            work.token(),
        );
        self.control.send(Asked { reply, request }).await.unwrap();
        self.requests
    }

    async fn receive(&mut self) -> Value {
        serde_json::from_str(self.news.next().await.text()).unwrap()
    }

    /// The answer.
    async fn ask(&mut self, request: RemoteControlRequest) -> Value {
        let id = self.request(request).await;
        self.answer(id).await
    }

    /// The answer to the request `id`; what comes before it is kept.
    async fn answer(&mut self, id: i64) -> Value {
        let answer = async {
            loop {
                let message = self.receive().await;
                if message["id"] == id {
                    return message;
                }
                self.kept.push_back(message);
            }
        };
        timeout(SOON, answer).await.expect("the answer comes")
    }

    async fn enable(&mut self, ephemeral: bool) -> Value {
        self.ask(RemoteControlRequest::Enable(RemoteControlEnableParams { ephemeral })).await
    }

    async fn disable(&mut self, ephemeral: bool) -> Value {
        self.ask(RemoteControlRequest::Disable(RemoteControlEnableParams { ephemeral })).await
    }

    async fn status(&mut self) -> Value {
        self.ask(RemoteControlRequest::StatusRead(())).await["result"].take()
    }

    async fn pair(&mut self) -> Value {
        self.ask(RemoteControlRequest::PairingStart(PairingStartParams { manual_code: true, scopes: None })).await
    }

    /// Waits until the client is told of a status.
    async fn told(&mut self, status: &str) -> Value {
        let told = async {
            loop {
                let mut message = match self.kept.pop_front() {
                    Some(message) => message,
                    None => self.receive().await,
                };
                if message["method"] == "remoteControl/status/changed" && message["params"]["status"] == status {
                    return message["params"].take();
                }
            }
        };
        timeout(SOON, told).await.unwrap_or_else(|_| panic!("it is never {status}"))
    }

    /// Waits until the backend was asked for this.
    async fn backend_is_asked(&self, what: &str) {
        eventually(what, || self.backend.words().iter().any(|word| word == what)).await;
    }

    /// Waits until the link was told this; other things before it are dropped.
    async fn link_is_told(&mut self, what: &str) {
        let told = async { while self.link.recv().await.expect("it stays") != what {} };
        timeout(SOON, told).await.unwrap_or_else(|_| panic!("the link is not told: {what}"));
    }

    async fn lose_the_link(&self) {
        self.control.send(LinkLost { reason: "on purpose".into() }).await.unwrap();
    }

    /// Refuses dials from now on, one for each of these.
    fn refuse(&self, status: u16, retry_after: Option<&str>, body: &str) {
        let refused = DialError::Refused {
            status,
            retry_after: retry_after.map(str::to_owned),
            body: body.to_owned(),
            request_id: Some("req-1".to_owned()),
            cf_ray: None,
        };
        self.dials.try_send(Err(refused)).unwrap();
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(time.as_millis().try_into().unwrap(), Ordering::Relaxed);
    }
}

/// Waits for what announces itself in no other way.
async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            actix_rt::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, waiting).await.unwrap_or_else(|_| panic!("not within {SOON:?}: {what}"));
}

fn sign_in(home: &TempDir, account: &str) {
    let tokens =
        json!({"id_token": "i", "access_token": "access-1", "refresh_token": "refresh-1", "account_id": account});
    let file = json!({"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "2026-01-01T00:00:00Z"});
    write_auth(home, &file);
}

/// As a whole, so that nobody sees half of it.
fn write_auth(home: &TempDir, file: &Value) {
    let draft = home.path().join("draft");
    std::fs::write(&draft, file.to_string()).unwrap();
    std::fs::rename(draft, home.path().join("auth.json")).unwrap();
}
