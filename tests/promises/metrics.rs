//! What the server counts, and who sees it: `/metrics` on the control socket and on the admin listener.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use serde_json::json;

use crate::support::agent::{Agent, ended, say};
use crate::support::home::Home;
use crate::support::http;
use crate::support::model::Reply;
use crate::support::process::Launch;
use crate::support::remote;
use crate::support::secrets;
use crate::support::server::Server;

const SCRAPE: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// The samples on the control socket: each name with its labels, and its value.
pub fn samples(server: &Server) -> BTreeMap<String, f64> {
    let answer = http::exchange(&mut server.unix_stream(), SCRAPE).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    assert!(answer.body.ends_with("# EOF\n"), "it is whole");
    parse(&answer.body)
}

pub fn parse(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
    };
    lines.map(sample).collect()
}

fn requests(transport: &str, method: &str, code: &str) -> String {
    format!("codex_app_server_rpc_requests_total{{transport=\"{transport}\",method=\"{method}\",code=\"{code}\"}}")
}

#[test]
fn a_head_is_answered_like_a_get_without_its_body() {
    let server = Server::unix(Launch::new());
    let mut stream = server.unix_stream();
    write!(stream, "{}", SCRAPE.replace("GET", "HEAD").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
        .expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{answer}");
    let length = answer.to_ascii_lowercase().split_once("content-length: ").map(|(_, rest)| rest.starts_with('0'));
    assert_eq!(length, Some(false), "{answer}");
}

#[test]
fn the_owner_sees_on_the_control_socket_what_clients_have_asked() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    for _ in 0..3 {
        client.call("model/list", json!({}));
    }
    client.refusal("thread/read", json!({"threadId": "nonsense"}));
    client.refusal("thread/read", json!({"threadId": 7}));
    let samples = samples(&server);
    assert_eq!(samples[&requests("websocket", "initialize", "ok")], 1.0);
    assert_eq!(samples[&requests("websocket", "model/list", "ok")], 3.0);
    assert_eq!(samples[&requests("websocket", "thread/read", "-32600")], 1.0);
    assert_eq!(samples[&requests("websocket", "thread/read", "-32602")], 1.0);
    assert_eq!(samples["codex_app_server_rpc_duration_seconds_count{method=\"model/list\"}"], 3.0);
    assert_eq!(samples["codex_app_server_connections{transport=\"unix\"}"], 1.0);
    assert_eq!(samples["codex_app_server_connections_initialized"], 1.0);
    assert_eq!(samples["codex_app_server_queue_bound{queue=\"processor\"}"], 128.0);
    assert_eq!(samples["codex_app_server_remote_control_state{state=\"disabled\"}"], 1.0);
    assert!(samples["process_resident_memory_bytes"] > 1e6);
    assert!(samples["codex_app_server_db_file_bytes"] > 0.0);
}

#[test]
fn requests_are_told_apart_by_transport() {
    let home = Home::new();
    let path = home.join("admin.sock");
    let scrape = || {
        let mut stream = UnixStream::connect(&path).expect("the admin socket takes connections");
        parse(&http::exchange(&mut stream, SCRAPE).expect("an answer").body)
    };
    let admin = format!("unix://{}", path.display());
    let server = Server::stdio(Launch::at(&home).args(&["--admin", &admin]));
    let mut client = server.client();
    client.call("model/list", json!({}));
    assert_eq!(scrape()[&requests("stdio", "model/list", "ok")], 1.0);
    assert_eq!(scrape()["codex_app_server_connections{transport=\"stdio\"}"], 1.0);
    drop((client, server));

    let server = Server::ws(Launch::at(&home).args(&["--admin", &admin]));
    server.client().call("model/list", json!({}));
    assert_eq!(scrape()[&requests("websocket", "model/list", "ok")], 1.0);
    assert_eq!(scrape()["codex_app_server_connections_opened_total{transport=\"tcp\"}"], 1.0);

    let (server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    let there = samples(&server);
    assert_eq!(there[&requests("remote_control", "initialize", "ok")], 1.0);
    assert_eq!(there["codex_app_server_connections{transport=\"remote_control\"}"], 1.0);
}

#[test]
fn methods_that_there_are_not_make_no_labels() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let before = samples(&server).len();
    for number in 0..50 {
        client.refusal(&format!("made/up{number}"), json!({}));
    }
    client.exchange("this is no JSON");
    let after = samples(&server);
    assert_eq!(after[&requests("websocket", "_unknown", "-32601")], 50.0);
    assert_eq!(after[&requests("websocket", "_unknown", "-32700")], 1.0);
    assert!(after.len() <= before + 2, "{before} samples became {}", after.len());
    assert!(!after.keys().any(|name| name.contains("made/up")));
}

#[test]
fn a_connection_that_ends_is_counted_by_its_close_code() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    client.close();
    let closed = "codex_app_server_connections_closed_total{code=\"1005\"}";
    crate::support::eventually("the end is counted", || samples(&server).get(closed) == Some(&1.0));
    assert_eq!(samples(&server)["codex_app_server_connections_opened_total{transport=\"unix\"}"], 1.0);
}

#[test]
fn a_turn_is_counted_with_its_model_and_its_tools() {
    let call = Reply::new().and_call("exec_command", json!({"cmd": "true", "login": false}));
    let agent = Agent::new([call, Reply::text("Done.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    ended(&mut client);
    let samples = samples(&server);
    assert_eq!(samples["codex_app_server_turns_total{end=\"completed\"}"], 1.0);
    let provider = samples.keys().find_map(|name| {
        let rest = name.strip_prefix("codex_app_server_model_calls_total{provider=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    });
    let provider = provider.expect("a provider was asked");
    let calls = format!("codex_app_server_model_calls_total{{provider=\"{provider}\",end=\"answered\"}}");
    assert_eq!(samples[&calls], 2.0);
    assert!(samples[&format!("codex_app_server_model_tokens_total{{provider=\"{provider}\",kind=\"output\"}}")] > 0.0);
    assert_eq!(samples["codex_app_server_tool_seconds_count{tool=\"exec_command\"}"], 1.0);
    assert_eq!(samples["codex_app_server_threads_loaded"], 1.0);
    assert_eq!(samples["codex_app_server_turns_running"], 0.0);
    assert!(samples["codex_app_server_db_commit_seconds_count"] >= 2.0);
}

#[test]
fn on_tcp_the_path_is_no_door() {
    let server = Server::ws(Launch::new());
    let answer = http::exchange(&mut server.tcp_stream(), SCRAPE).expect("an answer");
    assert_eq!(answer.status, 400, "it is a WebSocket like any other path: {}", answer.body);
    let upgrade = http::request("GET", "/metrics", http::UPGRADE);
    assert_eq!(http::exchange(&mut server.tcp_stream(), &upgrade).expect("an answer").status, 101);
}

#[test]
fn who_is_not_let_in_is_counted_by_reason() {
    let home = Home::new();
    let token = secrets::file(&home, "token", "a token that is long enough for anybody");
    let admin = home.path().join("admin.sock");
    let flags = ["--ws-auth", "capability-token", "--ws-token-file", token.to_str().expect("text")];
    let server = Server::ws(Launch::at(&home).args(&flags).arg("--admin").arg(format!("unix://{}", admin.display())));
    assert_eq!(server.answer_to_upgrade(&[]).status, 401);
    assert_eq!(server.answer_to_upgrade(&[("Authorization", "Bearer wrong")]).status, 401);
    let mut stream = UnixStream::connect(admin).expect("the admin socket takes connections");
    let samples = parse(&http::exchange(&mut stream, SCRAPE).expect("an answer").body);
    assert_eq!(samples["codex_app_server_auth_failures_total{reason=\"missing\"}"], 1.0);
    assert_eq!(samples["codex_app_server_auth_failures_total{reason=\"invalid_token\"}"], 1.0);
}

#[test]
fn a_scraper_that_reads_nothing_costs_nobody() {
    let server = Server::unix(Launch::new());
    let mut stalled = server.unix_stream();
    for _ in 0..64 {
        // The kernel takes the requests until its buffers are full; nobody reads the answers.
        stalled.set_nonblocking(true).expect("a socket takes the option");
        if stalled.write_all(SCRAPE.as_bytes()).is_err() {
            break;
        }
    }
    let mut client = server.client();
    for _ in 0..20 {
        client.call("model/list", json!({}));
    }
    assert_eq!(samples(&server)[&requests("websocket", "model/list", "ok")], 20.0);
}

#[test]
fn the_subcommand_prints_a_line_for_each_metric_in_a_scrape() {
    let server = Server::unix(Launch::new());
    server.client();
    let printed = Launch::new().arg("metrics").run();
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    for name in samples(&server).keys() {
        let name = name.split('{').next().expect("a name");
        let bare = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(printed.stdout.contains(&format!("| `{bare}` |")), "{name} is not documented:\n{}", printed.stdout);
    }
}
