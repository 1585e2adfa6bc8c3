//! Secrets are reloaded at run time, and tokens expire.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::secrets::{self, jwt, now};
use crate::support::server::Server;

fn status(server: &Server, token: &str) -> u16 {
    server.answer_to_upgrade(&[("Authorization", &format!("Bearer {token}"))]).status
}

fn with_token_file(home: &Home, token: &str) -> Server {
    let path = secrets::file(home, "token", token);
    let flags = ["--ws-auth", "capability-token", "--ws-token-file", path.to_str().expect("text")];
    Server::ws(Launch::at(home).env("RUST_LOG", "trace").args(&flags))
}

#[test]
fn sighup_reads_the_token_file_again() {
    let home = Home::new();
    let server = with_token_file(&home, "the first token");
    let mut early = server.client_with_token("the first token");
    secrets::file(&home, "token", "the second token");
    assert_eq!(status(&server, "the second token"), 401, "nobody has asked for it");
    server.process.signal(Signal::HUP);
    eventually("the second token is taken", || status(&server, "the second token") == 101);
    assert_eq!(status(&server, "the first token"), 401);
    early.call("thread/loaded/list", json!({}));
}

#[test]
fn a_bad_file_keeps_the_old_token_and_says_why() {
    let home = Home::new();
    let server = with_token_file(&home, "the lasting token");
    let path = home.join("token");
    fs::write(&path, "\n").expect("an empty file");
    server.process.signal(Signal::HUP);
    let empty = format!(
        "the websocket auth secret could not be reloaded and stays as it was: websocket auth secret {} must not",
        path.display()
    );
    server.process.stderr.wait_for("the reason", |text| text.contains(&empty).then_some(()));
    fs::write(&path, "one token\nand another").expect("a file");
    server.process.signal(Signal::HUP);
    let lines = format!("websocket auth secret {} has several lines", path.display());
    server.process.stderr.wait_for("the reason", |text| text.contains(&lines).then_some(()));
    fs::remove_file(&path).expect("it is ours");
    server.process.signal(Signal::HUP);
    let missing = format!("failed to read websocket auth secret {}: No such file", path.display());
    server.process.stderr.wait_for("the reason", |text| text.contains(&missing).then_some(()));
    server.client_with_token("the lasting token");
}

#[test]
fn sighup_reads_the_shared_secret_again_too() {
    let (old, new) = ["the old shared secret, 32 bytes and more", "the new shared secret, 32 bytes and more"].into();
    let home = Home::new();
    let path = secrets::file(&home, "secret", old);
    let flags = ["--ws-auth", "signed-bearer-token", "--ws-shared-secret-file", path.to_str().expect("text")];
    let server = Server::ws(Launch::at(&home).env("RUST_LOG", "trace").args(&flags));
    let token = |secret: &str| jwt(secret, &json!({"exp": now() + 60}));
    assert_eq!(status(&server, &token(old)), 101);
    secrets::file(&home, "secret", new);
    server.process.signal(Signal::HUP);
    eventually("the new secret is in force", || status(&server, &token(new)) == 101);
    assert_eq!(status(&server, &token(old)), 401);
}

#[test]
fn a_connection_ends_with_its_token_only_where_that_is_asked_for() {
    const SECRET: &str = "a shared secret for short-lived tokens";
    for (setting, closed) in [(true, true), (false, false)] {
        let home = Home::new();
        let path = secrets::file(&home, "secret", SECRET);
        let launch = Launch::at(&home).env("RUST_LOG", "trace").setting("auth.close_on_token_expiry", setting);
        let flags = ["--ws-auth", "signed-bearer-token", "--ws-max-clock-skew-seconds", "0"];
        let launch = launch.args(&flags).args(&["--ws-shared-secret-file", path.to_str().expect("text")]);
        let server = Server::ws(launch);
        let mut lasting = server.client_with_token(&jwt(SECRET, &json!({"exp": now() + 3600})));
        let exp = now() + 4;
        let mut short = server.client_with_token(&jwt(SECRET, &json!({"exp": exp})));
        if closed {
            assert_eq!(short.closed(), Some(1008));
            assert!(now() > exp, "not before its time");
        } else {
            // The router checks its timers every second.
            eventually("its time has passed", || now() > exp + 2);
            short.call("thread/loaded/list", json!({}));
        }
        lasting.call("thread/loaded/list", json!({}));
    }
}
