//! The admin listener: who may look, who may change something, and what changes.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::metrics::parse;
use crate::support::agent::{Agent, COMMAND_APPROVAL, ended, say};
use crate::support::backend::Backend;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::http::{self, Response};
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::remote;
use crate::support::secrets;
use crate::support::server::Server;
use crate::support::wire::patient;

const LOOKS: &str = "the-token-of-somebody-who-may-only-look";
const CHANGES: &str = "the-token-of-somebody-who-may-change-things";

/// A server with an admin listener on TCP.
struct Watched {
    server: Server,
    admin: SocketAddr,
}

impl Watched {
    fn start(launch: Launch) -> Self {
        let server = Server::unix(launch.args(&["--admin", "http://127.0.0.1:0"]));
        let admin = server.process.stderr.wait_for("the address of the admin listener", |text| {
            text.split_once("admin: http://")?.1.split_once("/\n")?.0.parse().ok()
        });
        Self { server, admin }
    }

    /// With a token for each of the two.
    fn with_tokens(launch: Launch) -> Self {
        let home = launch.home().clone();
        let file = |name: &str, token: &str| secrets::file(&home, name, token).to_str().expect("text").to_owned();
        let (looks, changes) = (file("looks", LOOKS), file("changes", CHANGES));
        let flags = ["--admin-token-file", &format!("observe:{looks}"), "--admin-token-file", &changes];
        Self::start(launch.args(&flags))
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let length = body.len().to_string();
        let more: &[(&str, &str)] = if body.is_empty() { &[] } else { &[("Content-Length", &length)] };
        let host: &[(&str, &str)] = match headers.iter().any(|(name, _)| *name == "Host") {
            true => &[],
            false => &[("Host", "localhost")],
        };
        let text = http::request(method, path, &[host, headers, more].concat()) + body;
        let mut stream = patient(TcpStream::connect(self.admin).expect("the admin listener takes connections"));
        http::exchange(&mut stream, &text).expect("an answer")
    }

    fn get(&self, path: &str, token: Option<&str>) -> Response {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|it| ("Authorization", it.as_str())).collect();
        self.ask("GET", path, &headers, "")
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.ask("POST", path, &headers, &body.to_string())
    }

    fn state(&self, token: Option<&str>) -> Value {
        let answer = self.get("/api/state", token);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).expect("JSON")
    }
}

#[test]
fn without_a_token_loopback_may_look_and_change_nothing() {
    let watched = Watched::start(Launch::new());
    let mut client = watched.server.client();
    for path in ["/healthz", "/readyz", "/metrics", "/", "/page.js", "/uPlot.js"] {
        assert_eq!(watched.get(path, None).status, 200, "{path}");
    }
    let state = watched.state(None);
    assert_eq!(state["mayChange"], false);
    let id = state["connections"][0]["id"].clone();
    let answer = watched.ask(
        "POST",
        "/api/cut",
        &[("Content-Type", "application/json")],
        &json!({"connection": id}).to_string(),
    );
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert!(answer.body.contains("`admin`"), "{}", answer.body);
    client.call("model/list", json!({}));
}

#[test]
fn with_tokens_nobody_looks_without_one_but_at_the_probes_and_the_empty_page() {
    let watched = Watched::with_tokens(Launch::new());
    for path in ["/healthz", "/readyz", "/", "/page.js", "/api/door"] {
        assert_eq!(watched.get(path, None).status, 200, "{path}");
    }
    for path in ["/metrics", "/api/state"] {
        assert_eq!(watched.get(path, None).status, 401, "{path}");
        assert_eq!(watched.get(path, Some(&secrets::used("another-token-that-is-long-enough"))).status, 401, "{path}");
        assert_eq!(watched.get(path, Some(LOOKS)).status, 200, "{path}");
    }
    assert_eq!(watched.get("/elsewhere", Some(LOOKS)).status, 404);
    let samples = parse(&watched.get("/metrics", Some(LOOKS)).body);
    assert_eq!(samples["codex_app_server_auth_failures_total{reason=\"missing\"}"], 2.0);
}

#[test]
fn an_operator_cuts_a_client_and_only_with_the_scope_for_it() {
    let watched = Watched::with_tokens(Launch::new());
    let mut client = watched.server.client();
    let state = watched.state(Some(CHANGES));
    assert_eq!(state["mayChange"], true);
    let find = |it: &&Value| it["transport"] == "websocket";
    let id = state["connections"].as_array().expect("a list").iter().find(find).expect("the client")["id"].clone();
    let cut = json!({ "connection": id });
    assert_eq!(watched.post("/api/cut", LOOKS, &cut).status, 403);
    client.call("model/list", json!({}));
    assert_eq!(watched.post("/api/cut", CHANGES, &cut).status, 204);
    client.closed();
    assert_eq!(watched.post("/api/cut", CHANGES, &cut).status, 409, "it is gone");
}

#[test]
fn an_operator_sees_an_approval_and_interrupts_its_turn() {
    let call = Reply::new().and_call("exec_command", json!({"cmd": "touch /never", "login": false}));
    let agent = Agent::new([call, Reply::text("Done.")]);
    let watched = Watched::with_tokens(agent.launch());
    let mut client = watched.server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "untrusted", "sandbox": "read-only"}));
    say(&mut client, &thread);
    client.next_told(COMMAND_APPROVAL);
    let shown = || watched.state(Some(CHANGES))["threads"][0].clone();
    eventually("the page shows the approval", || shown()["status"] == "approval");
    assert_eq!(shown()["id"], json!(thread));
    assert_eq!(watched.state(Some(CHANGES))["gauges"]["approvals"], 1);
    let interrupt = json!({ "threadId": thread });
    assert_eq!(watched.post("/api/interrupt", LOOKS, &interrupt).status, 403);
    assert_eq!(watched.post("/api/interrupt", CHANGES, &interrupt).status, 204);
    assert_eq!(ended(&mut client), "interrupted");
    assert_eq!(watched.post("/api/interrupt", CHANGES, &interrupt).status, 409, "nothing runs");
    let samples = parse(&watched.get("/metrics", Some(LOOKS)).body);
    assert_eq!(samples["codex_app_server_turns_total{end=\"interrupted\"}"], 1.0);
}

#[test]
fn no_other_web_page_reaches_it() {
    let watched = Watched::with_tokens(Launch::new());
    let bearer = format!("Bearer {LOOKS}");
    let own = format!("http://{}", watched.admin);
    let host = watched.admin.to_string();
    let ask = |origin: &str, host: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Origin", origin), ("Host", host)];
        watched.ask("GET", "/api/state", &headers, "").status
    };
    assert_eq!(ask(&own, &host), 200, "its own page may ask");
    for origin in ["http://evil.example", "null", "", "http://localhost:1", &format!("{own}.evil.example")] {
        assert_eq!(ask(origin, &host), 403, "{origin}");
    }
    assert_eq!(ask("http://evil.example", "evil.example"), 421, "a name that leads here is not served");
    let form = [("Authorization", bearer.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    assert_ne!(watched.ask("POST", "/api/cut", &form, "connection=1").status, 204);
}

#[test]
fn the_page_loads_nothing_from_elsewhere_and_may_not() {
    let watched = Watched::start(Launch::new());
    let page = watched.get("/", None);
    let policy = page.header("content-security-policy").expect("a policy");
    for rule in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe-") && !policy.contains("http:"), "{policy}");
    assert!(!page.body.contains("http://") && !page.body.contains("https://"), "{}", page.body);
    for part in page.body.split(['"']).filter(|part| part.starts_with('/') && part.contains('.')) {
        assert_eq!(watched.get(part, None).status, 200, "{part}");
    }
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    let ended = Launch::new().args(&["--listen", "unix://", "--admin", "http://0.0.0.0:0"]).run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("add --admin-token-file PATH"), "{}", ended.stderr);
    let ended = Launch::new().args(&["--listen", "unix://", "--admin", "https://127.0.0.1:0"]).run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn the_socket_of_the_owner_allows_everything_and_goes_with_the_server() {
    let home = Home::new();
    let path = home.join("admin.sock");
    let mut server = Server::unix(Launch::at(&home).arg("--admin").arg(format!("unix://{}", path.display())));
    // The server is reachable a little earlier.
    eventually("the admin socket takes connections", || UnixStream::connect(&path).is_ok());
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().expect("it is there").permissions());
    assert_eq!(mode & 0o777, 0o600);
    let answer = ask_unix(&path, "/api/state");
    let state: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(state["mayChange"], true);
    server.process.signal(rustix::process::Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    assert!(!path.exists());
}

fn ask_unix(path: &Path, what: &str) -> Response {
    let mut stream = patient(UnixStream::connect(PathBuf::from(path)).expect("the socket takes connections"));
    http::exchange(&mut stream, &http::request("GET", what, &[("Host", "localhost")])).expect("an answer")
}

#[test]
fn the_page_shows_the_log_without_secrets() {
    let watched = Watched::with_tokens(Launch::new().env("RUST_LOG", "info"));
    watched.server.client();
    let log = || watched.state(Some(LOOKS))["log"].to_string();
    eventually("the client is in the log", || log().contains("from process"));
    assert!(!log().contains(LOOKS) && !log().contains(CHANGES));
}

#[test]
fn an_operator_sees_the_phones_and_revokes_one() {
    let backend = Backend::start();
    let watched = Watched::with_tokens(remote::launch(&backend, &backend.home()));
    backend.add_listed_client(json!({"client_id": "phone", "display_name": "My phone", "device_type": "phone"}));
    let state = || watched.state(Some(CHANGES))["remote"].clone();
    eventually("remote control is connected", || state()["status"] == "connected");
    let phone = backend.controller_of("phone", Some("s"));
    let revoke = json!({ "clientId": "phone" });
    assert_eq!(watched.post("/api/revoke", LOOKS, &revoke).status, 403);
    // The list of a moment ago may be from before the phone was there; a change asks anew.
    assert_eq!(watched.post("/api/revoke", CHANGES, &json!({"clientId": "nobody"})).status, 409);
    assert_eq!(state()["phones"][0]["name"], "My phone");
    assert_eq!(watched.post("/api/revoke", CHANGES, &revoke).status, 204);
    assert_eq!(state()["phones"], json!([]));
    drop(phone);
    let samples = parse(&watched.get("/metrics", Some(LOOKS)).body);
    assert_eq!(samples["codex_app_server_remote_control_state{state=\"connected\"}"], 1.0);
    assert_eq!(samples["codex_app_server_remote_control_connections_total"], 1.0);
}
