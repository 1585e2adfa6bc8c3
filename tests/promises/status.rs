//! `status` says which server runs and who is attached to it; `stop` ends it.

use serde_json::{Value, json};

use crate::support::process::Launch;
use crate::support::server::Server;

#[test]
fn a_server_names_its_build_its_process_and_its_clients() {
    let server = Server::unix(Launch::new());
    let _client = server.client();
    let ended = Launch::at(server.process.home()).arg("status").run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let text = ended.stdout;
    let version = env!("CARGO_PKG_VERSION");
    let build = format!("Build:     {version}, speaks the protocol of codex app-server 0.171.0\n");
    assert!(text.starts_with(&build), "{text}");
    assert!(text.contains(&format!("Process:   {}", server.process.id())), "{text}");
    let clients: Vec<&str> = text.lines().filter(|line| line.ends_with("promises 1.0")).collect();
    assert_eq!(clients.len(), 1, "{text}");
    assert!(clients[0].contains(&format!("process {}", std::process::id())), "{text}");

    let ended = Launch::at(server.process.home()).args(&["status", "--json"]).run();
    let diagnostics: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(diagnostics["process"]["id"], server.process.id());
    let gauges: Vec<&str> =
        diagnostics["gauges"].as_array().expect("gauges").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(gauges, ["app.requests.in_flight", "app.requests.queued"]);
}

#[test]
fn a_client_on_tcp_is_named_by_its_address() {
    let server = Server::ws(Launch::new());
    let diagnostics = server.client().call("server/diagnostics", serde_json::json!({}));
    let peer = diagnostics["connections"][0]["peer"].as_str().expect("a peer");
    assert!(peer.starts_with("127.0.0.1:"), "{diagnostics}");
}

#[test]
fn stop_ends_the_server_and_waits_for_it() {
    let mut server = Server::unix(Launch::new());
    let ended = Launch::at(server.process.home()).arg("stop").run();
    let expected = format!("The server (process {}) has ended.\n", server.process.id());
    assert_eq!((ended.code, ended.stdout, ended.stderr.as_str()), (Some(0), expected, ""));
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn the_health_is_told_by_exit_codes_on_every_listener() {
    let health = |home: &crate::support::home::Home, words: &[&str]| Launch::at(home).arg("health").args(words).run();
    let (server, address, _stdio) = Server::everywhere(Launch::new());
    let home = server.process.home().clone();
    let over_tcp = format!("ws://{address}");
    for words in [&[] as &[_], &["--live"], &["--connect", &over_tcp], &["--live", "--connect", &over_tcp]] {
        let ended = health(&home, words);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    let mut client = server.client();
    client.send_request("command/exec", json!({"command": ["sleep", "100"]}));
    client.call("thread/start", json!({}));
    server.process.signal(rustix::process::Signal::TERM);
    crate::support::eventually("it drains", || health(&home, &[]).code == Some(1));
    assert_eq!(health(&home, &["--live"]).code, Some(0), "it is alive all the same");
    drop(server);
    assert_eq!(health(&home, &[]).code, Some(69));
}

#[test]
fn a_server_can_be_asked_and_ended_whatever_the_settings_have_become() {
    let mut server = Server::unix(Launch::new());
    server.client().call("thread/start", json!({}));
    let home = server.process.home().clone();
    std::fs::write(home.join("app-server.toml"), "[log\n").expect("a file");
    for words in [&["health"][..], &["status"], &["stop"]] {
        let ended = Launch::at(&home).args(words).run();
        assert_eq!(ended.code, Some(0), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("app-server.toml:1: "), "the fault is named: {}", ended.stderr);
    }
    assert_eq!(server.process.exit_code(), 0);
}
