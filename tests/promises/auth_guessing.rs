//! Guessing tokens is slowed down, and the log stays short.

use crate::support::http::{self, Response};
use crate::support::process::Launch;
use crate::support::secrets::{sha256_hex, used};
use crate::support::server::Server;

const TOKEN: &str = "not to be guessed";

fn server(burst: u32) -> Server {
    let launch = Launch::new().env("RUST_LOG", "trace").setting("auth.failed_attempts_burst", burst);
    let launch = launch.setting("auth.failed_attempts_per_minute", 1);
    Server::ws(launch.args(&["--ws-auth", "capability-token", "--ws-token-sha256", &sha256_hex(TOKEN)]))
}

fn attempt(server: &Server, token: &str) -> Response {
    server.answer_to_upgrade(&[("Authorization", &format!("Bearer {token}"))])
}

#[test]
fn after_too_many_wrong_tokens_none_is_looked_at() {
    let server = server(3);
    for _ in 0..3 {
        assert_eq!(attempt(&server, &used("a wild guess")).status, 401);
    }
    for token in ["a wild guess", TOKEN] {
        let response = attempt(&server, token);
        assert_eq!(response.status, 429, "the right token cannot be told from a wrong one now");
        assert!(response.body.starts_with("too many failed attempts"), "{response:?}");
        let wait: u64 = response.header("retry-after").expect("a time to wait").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{response:?}");
    }
    assert_eq!(server.answer_to_upgrade(&[]).status, 401, "who sends no token is told so");
    let mut stream = server.tcp_stream();
    let probe = http::request("GET", "/readyz", &[("Host", "localhost")]);
    assert_eq!(http::exchange(&mut stream, &probe).expect("an answer").status, 200);
}

#[test]
fn a_flood_of_guesses_costs_others_nothing() {
    let server = server(3);
    let guess = http::request("GET", "/", &[http::UPGRADE, &[("Authorization", "Bearer guess")]].concat());
    let attempt = || http::exchange(&mut server.tcp_stream_from([127, 0, 0, 9]), &guess).expect("an answer").status;
    let statuses: Vec<u16> = (0..200).map(|_| attempt()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3);
    assert!(statuses[3..].iter().all(|status| *status == 429));
    server.client_with_token(TOKEN);
}

#[test]
fn a_client_that_knows_the_token_may_reconnect_as_often_as_it_likes() {
    let server = server(2);
    for _ in 0..20 {
        assert_eq!(attempt(&server, TOKEN).status, 101);
    }
    assert_eq!(attempt(&server, "typo").status, 401);
    assert_eq!(attempt(&server, TOKEN).status, 101);
    assert_eq!(attempt(&server, "typo").status, 401, "the right token has forgiven the first mistake");
    assert_eq!(attempt(&server, TOKEN).status, 101);
}

#[test]
fn a_flood_of_failures_is_counted_by_reason_in_one_line_of_log() {
    let server = server(5);
    for _ in 0..50 {
        attempt(&server, "guess");
        server.answer_to_upgrade(&[]);
    }
    let lines = server.process.stderr.text();
    assert_eq!(lines.lines().filter(|line| line.contains("clients failed to authenticate")).count(), 1, "{lines}");
    assert!(lines.contains("the last one from 127.0.0.1; ") && lines.contains("invalid_token 1"), "{lines}");
}

#[test]
fn strangers_behind_the_same_address_cannot_lock_the_owner_out() {
    let token = "0123456789abcdef0123456789abcdef";
    let launch = Launch::new().env("RUST_LOG", "trace").setting("auth.failed_attempts_burst", 3);
    let flags = ["--ws-auth", "capability-token", "--ws-token-sha256", &sha256_hex(token)];
    let server = Server::ws(launch.args(&flags));
    for _ in 0..20 {
        attempt(&server, &used("a wild guess"));
    }
    assert_eq!(attempt(&server, "a wild guess").status, 429);
    for _ in 0..20 {
        assert_eq!(attempt(&server, token).status, 101);
    }
}

#[test]
fn behind_a_trusted_proxy_each_client_is_a_peer_of_its_own() {
    let launch = Launch::new().env("RUST_LOG", "trace").setting("auth.failed_attempts_burst", 3);
    let launch = launch.setting("auth.failed_attempts_per_minute", 1).setting("http.max_connections_per_address", 2);
    let launch = launch.setting("http.trusted_proxies", r#"["127.0.0.1"]"#);
    let server = Server::ws(launch.args(&["--ws-auth", "capability-token", "--ws-token-sha256", &sha256_hex(TOKEN)]));
    let headers = |token: &str, client: &str| {
        http::request(
            "GET",
            "/",
            &[http::UPGRADE, &[("Authorization", &format!("Bearer {token}")), ("X-Forwarded-For", client)]].concat(),
        )
    };
    let ask = |token: &str, client: &str| {
        let mut stream = server.tcp_stream();
        let status = http::exchange(&mut stream, &headers(token, client)).expect("an answer").status;
        (status, stream)
    };
    for _ in 0..3 {
        assert_eq!(ask("a wild guess", "192.0.2.1").0, 401);
    }
    assert_eq!(ask(TOKEN, "192.0.2.1").0, 429);
    assert_eq!(ask(TOKEN, "1.2.3.4, 192.0.2.1").0, 429, "what a client invents does not count");
    let places: Vec<_> = (0..2).map(|_| ask(TOKEN, "192.0.2.2")).collect();
    assert!(places.iter().all(|(status, _)| *status == 101));
    assert_eq!(ask(TOKEN, "192.0.2.2").0, 503, "it has as many connections as an address may have");
    assert_eq!(ask(TOKEN, "192.0.2.3").0, 101);
    let mut other = server.tcp_stream_from([127, 0, 0, 9]);
    let answer = http::exchange(&mut other, &headers("a wild guess", "192.0.2.1")).expect("an answer");
    assert_eq!(answer.status, 401, "nobody else is believed");
}
