//! Tests of the routes over real sockets, because only those have the peer that an upgrade needs.

use std::{os::unix::net::UnixListener, path::PathBuf, sync::Arc, time::Duration};

use app_server_actors::{
    account::Credentials,
    catalog::{Catalog, CatalogSources},
    clock::Clock,
    commands::CommandsSetup,
    environment::Environment,
    host::Host,
    model::ModelSetup,
    remote_control::RemoteControlSetup,
    start::ActorsParts,
    store::Store,
    vital::Vitals,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::*;
use crate::settings::Effective;

/// A server on TCP and one on a Unix socket, each with its own hub.
struct World {
    home: TempDir,
    tcp: HttpServer,
    address: std::net::SocketAddr,
    _unix: HttpServer,
}

impl World {
    async fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tcp = start(&home, vec![], vec![listener]).await;
        let unix = start(&home, vec![UnixListener::bind(home.path().join("s.sock")).unwrap()], vec![]).await;
        Self { home, tcp, address, _unix: unix }
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("s.sock")
    }

    /// The answer of the TCP server.
    async fn ask(&self, request: &str) -> Answer {
        ask(TcpStream::connect(self.address).await.unwrap(), request).await
    }

    /// The answer of the server on the Unix socket.
    async fn ask_unix(&self, request: &str) -> Answer {
        ask(UnixStream::connect(self.socket()).await.unwrap(), request).await
    }
}

/// Accepts every request for this machine.
fn door() -> Door {
    Door::new(&Effective::built_in().unwrap().settings().unwrap().http, None).unwrap()
}

async fn start(home: &TempDir, unix: Vec<UnixListener>, tcp: Vec<std::net::TcpListener>) -> HttpServer {
    let settings = Effective::built_in().unwrap().settings().unwrap();
    let home = home.path().to_owned();
    let host = Host {
        codex_home: home.clone(),
        session_source: "test".to_owned(),
        cwd: home.clone(),
        os: "Linux".to_owned(),
        terminal: "test".to_owned(),
    };
    let account = Arc::new(Credentials::new(&home));
    let environment = Environment::from_fn(|_| None);
    let vitals = Vitals::default();
    let parts = ActorsParts {
        listeners: Vec::new(),
        traces: Default::default(),
        models: ModelSetup::new(settings.model, environment, &account, None, Clock::system(), &host),
        turns: settings.turns,
        mcp: settings.mcp,
        account,
        metrics: Arc::default(),
        store: Store::open(&home.join("test.sqlite"), &settings.limits, &Arc::default(), &vitals).unwrap(),
        catalog: Catalog::start(CatalogSources::new(home.clone(), home.clone()), &settings.limits, &vitals),
        clock: Clock::system(),
        commands: CommandsSetup::default(),
        remote_control: RemoteControlSetup::new(settings.remote_control),
        remote_link: settings.remote_link,
        vitals,
        limits: Arc::new(settings.limits),
        host,
    };
    HttpServer::start(Sockets { unix, tcp, door: Arc::new(door()) }, parts, &settings.http).await.unwrap()
}

struct Answer {
    status: u16,
    /// In lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Sends `request`, whose lines end with `
/// `, and reads the head and the body of the answer.
async fn ask(mut server: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Answer {
    let exchange = async {
        server.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(server.read_u8().await.unwrap()));
        }
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_lowercase()))
            .collect();
        let mut answer = Answer { status, headers, body: String::new() };
        if let Some(length) = answer.header("content-length").filter(|_| !request.starts_with("HEAD ")) {
            let mut body = vec![0; length.parse().unwrap()];
            server.read_exact(&mut body).await.unwrap();
            answer.body = String::from_utf8(body).unwrap();
        }
        answer
    };
    timeout(Duration::from_secs(60), exchange).await.unwrap()
}

/// A correct upgrade to `path` with every `from` replaced by `to`.
fn upgrade(path: &str, from: &str, to: &str) -> String {
    let request = format!(
        "GET {path} HTTP/1.1\nHost: localhost\nConnection: keep-alive, Upgrade\nUpgrade: WebSocket\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n"
    );
    if from.is_empty() { request } else { request.replace(from, to) }
}

#[actix_rt::test]
async fn probes_answer_get_and_head() {
    let world = World::new().await;
    for path in ["/readyz", "/healthz", "/readyz?verbose"] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} {path} HTTP/1.1\nHost: localhost\n\n");
            for answer in [world.ask(&request).await, world.ask_unix(&request).await] {
                assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{request}");
                assert_eq!(answer.header("content-length"), Some("0"));
                assert_eq!(answer.header("content-type"), None);
            }
        }
        let refused = world.ask(&format!("POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n")).await;
        assert_eq!((refused.status, refused.header("allow")), (405, Some("get,head")));
        let answer = world.ask(&upgrade(path, "", "")).await;
        assert_eq!(answer.status, 200, "a probe is not upgraded");
    }
}

#[actix_rt::test]
async fn readyz_says_when_the_server_drains() {
    let world = World::new().await;
    world.tcp.actors().hub().drain().await;
    assert_eq!(world.ask("GET /readyz HTTP/1.1\nHost: localhost\n\n").await.status, 503);
    assert_eq!(world.ask("GET /healthz HTTP/1.1\nHost: localhost\n\n").await.status, 200);
}

#[actix_rt::test]
async fn readyz_says_when_a_vital_actor_has_ended() {
    let world = World::new().await;
    world.tcp.actors().end_remote_control(Duration::from_secs(60)).await;
    // It ends on a thread of its own, a moment after its last answer.
    actix_rt::time::timeout(Duration::from_secs(60), world.tcp.actors().lost()).await.expect("it ends");
    assert_eq!(world.ask("GET /readyz HTTP/1.1\nHost: localhost\n\n").await.status, 503);
    assert_eq!(world.ask("GET /healthz HTTP/1.1\nHost: localhost\n\n").await.status, 200);
}

#[actix_rt::test]
async fn web_pages_are_refused_on_every_route() {
    let world = World::new().await;
    for origin in ["", "null", "http://localhost"] {
        let with_origin = format!("Host: localhost\nOrigin: {origin}");
        for request in [
            format!("GET /readyz HTTP/1.1\n{with_origin}\n\n"),
            format!("DELETE /anything HTTP/1.1\n{with_origin}\n\n"),
            upgrade("/", "Host: localhost", &with_origin),
        ] {
            for answer in [world.ask(&request).await, world.ask_unix(&request).await] {
                assert_eq!((answer.status, answer.header("content-length")), (403, Some("0")), "{request}");
            }
        }
    }
}

#[actix_rt::test]
async fn any_other_path_becomes_a_websocket() {
    let world = World::new().await;
    for path in ["/", "/rpc", "/readyz/", "/a/b?c=d"] {
        let answer = world.ask(&upgrade(path, "", "")).await;
        assert_eq!(answer.status, 101, "{path}");
        assert_eq!(answer.header("upgrade"), Some("websocket"));
        assert_eq!(answer.header("connection"), Some("upgrade"));
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pplmbitxaq9kygzzhzrbk+xoo="));
        assert_eq!(answer.header("x-codex-websocket-max-unfragmented-message-bytes"), None);
    }
    let answer = world.ask(&upgrade("/daemon/shutdown", "dGhlIHNhbXBsZSBub25jZQ==", "short")).await;
    assert_eq!(answer.status, 101, "over TCP this is a path like any other, and a key is not judged");
}

#[actix_rt::test]
async fn the_unix_socket_announces_its_largest_frame_and_is_not_managed() {
    let world = World::new().await;
    let answer = world.ask_unix(&upgrade("/rpc", "", "")).await;
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("x-codex-websocket-max-unfragmented-message-bytes"), Some("16777216"));
    let answer = world.ask_unix(&upgrade("/daemon/shutdown", "", "")).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, "unmanaged server"));
}

#[actix_rt::test]
async fn an_incomplete_upgrade_is_told_what_is_missing() {
    let world = World::new().await;
    for (from, to, status, body) in [
        ("GET ", "POST ", 405, "Request method must be `GET`"),
        ("Connection: keep-alive, Upgrade\n", "", 400, "Connection header did not include 'upgrade'"),
        ("keep-alive, Upgrade", "keep-alive", 400, "Connection header did not include 'upgrade'"),
        ("Upgrade: WebSocket\n", "", 400, "`Upgrade` header did not include 'websocket'"),
        ("Upgrade: WebSocket", "Upgrade: h2c", 400, "`Upgrade` header did not include 'websocket'"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n", "", 400, "`Sec-WebSocket-Key` header missing"),
        ("Version: 13", "Version: 12", 400, "`Sec-WebSocket-Version` header did not include '13'"),
        ("Sec-WebSocket-Version: 13\n", "", 400, "`Sec-WebSocket-Version` header did not include '13'"),
    ] {
        let request = upgrade("/", from, to);
        for answer in [world.ask(&request).await, world.ask_unix(&request).await] {
            assert_eq!((answer.status, answer.body.as_str()), (status, body), "{request}");
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
    }
}

#[actix_rt::test]
async fn a_connection_without_a_known_peer_is_not_upgraded() {
    let world = World::new().await;
    let (actors, transport) = (world.tcp.actors().clone(), Transport::Tcp(Arc::new(door())));
    let site = Site { actors, needed_store: None, transport, websocket_frame_bytes: 1, request_head_bytes: 1000 };
    let service = actix_web::test::init_service(app(web::Data::new(site))).await;
    let request = actix_web::test::TestRequest::get()
        .insert_header(("connection", "upgrade"))
        .insert_header(("upgrade", "websocket"))
        .insert_header(("sec-websocket-key", "x"))
        .insert_header(("sec-websocket-version", "13"));
    let answer = actix_web::test::call_service(&service, request.to_request()).await;
    assert_eq!(answer.status(), 403);
}
