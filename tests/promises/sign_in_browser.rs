//! A client signs in to ChatGPT in a browser, which comes back to an address on loopback.

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::http::{Response, exchange, request};
use crate::support::issuer::Issuer;
use crate::support::process::Launch;
use crate::support::secrets;
use crate::support::server::Server;

/// A server whose users sign in at a loopback issuer, and one of its clients.
struct Place {
    issuer: Issuer,
    server: Server,
    client: Client,
}

impl Place {
    fn new() -> Self {
        Self::with(|launch| launch)
    }

    fn with(launch: impl FnOnce(Launch) -> Launch) -> Self {
        let issuer = Issuer::start();
        // Any port, so that tests can run beside each other.
        let started = Launch::new().setting("sign_in.port", 0).env("RUST_LOG", "trace");
        let server = Server::unix(launch(started.env("CODEX_APP_SERVER_LOGIN_ISSUER", &issuer.url())));
        Self { client: server.client(), issuer, server }
    }

    /// Begins a sign-in.
    fn begin(&mut self) -> Begun {
        let begun = self.client.call("account/login/start", json!({"type": "chatgpt"}));
        assert_eq!(begun["type"], "chatgpt");
        Begun::of(&begun)
    }

    /// How a sign-in ends, as everyone is told.
    fn completed(&mut self) -> Value {
        self.client.next_notification("account/login/completed")
    }

    fn is_signed_in(&self) -> bool {
        self.server.process.home().join("auth.json").exists()
    }
}

/// A sign-in that has begun.
struct Begun {
    id: Value,
    /// What the issuer is told, by its names.
    told: HashMap<String, String>,
    port: u16,
}

impl Begun {
    fn of(answer: &Value) -> Self {
        let url = answer["authUrl"].as_str().expect("a URL");
        let (_, query) = url.split_once("/oauth/authorize?").expect("the page of the issuer");
        let told: HashMap<String, String> = query.split('&').map(pair).collect();
        let port = told["redirect_uri"].strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split_once('/'));
        let (port, path) = port.expect("an address on loopback");
        assert_eq!(path, "auth/callback");
        secrets::used(&told["state"]);
        Self { id: answer["loginId"].clone(), port: port.parse().expect("a port"), told }
    }

    /// What the browser gets that comes back with this query.
    fn visit(&self, query: &str) -> Response {
        self.ask("GET", &format!("/auth/callback?{query}"), &[])
    }

    /// What the browser gets that comes back from the issuer with a code.
    fn grant(&self, code: &str) -> Response {
        self.visit(&format!("code={code}&state={}", self.told["state"]))
    }

    fn ask(&self, method: &str, target: &str, more: &[(&str, &str)]) -> Response {
        let host = format!("127.0.0.1:{}", self.port);
        let named = more.iter().any(|(name, _)| *name == "Host");
        let own = [("Host", host.as_str())].into_iter().filter(|_| !named);
        let headers: Vec<(&str, &str)> = own.chain(more.iter().copied()).collect();
        exchange(&mut self.connect(), &request(method, target, &headers)).expect("an answer")
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("the address is open")
    }

    fn is_closed(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_err()
    }
}

/// A pair of a query, decoded as far as these tests need it.
fn pair(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').expect("a pair");
    (name.to_owned(), value.replace("%3A", ":").replace("%2F", "/").replace('+', " "))
}

#[test]
fn a_browser_that_comes_back_signs_its_user_in_and_everyone_hears_of_it() {
    let mut place = Place::new();
    let mut other = place.server.client();
    let begun = place.begin();
    for (name, value) in [
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("scope", "openid profile email offline_access api.connectors.read api.connectors.invoke"),
    ] {
        assert_eq!(begun.told[name], value);
    }
    assert_eq!(place.client.call("account/read", json!({}))["account"], Value::Null, "others are answered meanwhile");
    let code = secrets::used("grant-of-a-browser");
    let page = begun.grant(&code);
    assert!(page.status == 200 && page.body.contains("You are signed in"), "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    for client in [&mut place.client, &mut other] {
        let completed = client.next_notification("account/login/completed");
        assert_eq!((&completed["success"], &completed["loginId"]), (&json!(true), &begun.id), "{completed}");
        let updated = json!({"authMode": "chatgpt", "planType": "plus", "reason": null});
        assert_eq!(client.next_notification("account/updated"), updated);
    }
    assert_eq!(other.call("account/read", json!({}))["account"]["email"], "me@example.com");

    // The issuer can see that whoever asks for the tokens began the sign-in.
    let traded: HashMap<String, String> = place.issuer.traded().split('&').map(pair).collect();
    assert_eq!((traded["code"].as_str(), traded["grant_type"].as_str()), (code.as_str(), "authorization_code"));
    assert_eq!(traded["redirect_uri"], begun.told["redirect_uri"]);
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(secrets::used(&traded["code_verifier"])));
    assert_eq!(challenge, begun.told["code_challenge"]);

    let path = place.server.process.home().join("auth.json");
    let file: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
    assert_eq!((&file["auth_mode"], &file["tokens"]["account_id"]), (&json!("chatgpt"), &json!("acc-1")));
    assert_eq!(file["tokens"]["access_token"], place.issuer.access_token());
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    eventually("the address closes", || begun.is_closed());
}

#[test]
fn visits_that_do_not_belong_to_the_sign_in_change_nothing() {
    let mut place = Place::new();
    let begun = place.begin();
    let state = begun.told["state"].clone();
    for query in ["code=c&state=wrong", "code=c", "", "state=a&state=b&code=c", "error=access_denied&state=wrong"] {
        let page = begun.visit(query);
        assert!(page.status == 400 && page.body.contains("You are not signed in"), "{query}: {page:?}");
    }
    let good = format!("/auth/callback?code=c&state={state}");
    for (method, target, headers, status) in [
        ("GET", "/", &[][..], 404),
        ("GET", "/success", &[], 404),
        ("POST", &good, &[], 405),
        ("GET", &good, &[("Origin", "https://evil.example")], 421),
        ("GET", &good, &[("Host", "evil.example")], 421),
    ] {
        assert_eq!(begun.ask(method, target, headers).status, status, "{method} {target} {headers:?}");
    }
    assert!(!place.is_signed_in());
    assert_eq!(begun.grant("c").status, 200, "the user comes in all the same");
    assert_eq!(place.completed()["success"], true);
}

#[test]
fn a_refusal_and_a_visit_without_a_code_end_the_sign_in_with_words() {
    for (query, words) in [
        ("error=access_denied&error_description=%3Cb%3Enot+you", "refused: &lt;b&gt;not you"),
        ("error=access_denied", "refused: access_denied"),
        ("code=", "without a code"),
    ] {
        let mut place = Place::new();
        let begun = place.begin();
        let page = begun.visit(&format!("{query}&state={}", begun.told["state"]));
        assert!(page.status == 400 && page.body.contains(words), "{page:?}");
        let completed = place.completed();
        assert_eq!((&completed["success"], &completed["loginId"]), (&json!(false), &begun.id));
        eventually("the address closes", || begun.is_closed());
        assert!(!place.is_signed_in());
    }
}

#[test]
fn one_sign_in_waits_at_a_time_and_each_can_be_cancelled() {
    let mut place = Place::new();
    let first = place.begin();
    let second = place.begin();
    let given_way = place.completed();
    assert_eq!((&given_way["loginId"], &given_way["success"]), (&first.id, &json!(false)));
    eventually("the first address closes", || first.is_closed());
    let mut cancel = |id: &Value| place.client.call("account/login/cancel", json!({"loginId": id}))["status"].take();
    assert_eq!((cancel(&first.id), cancel(&second.id)), (json!("notFound"), json!("canceled")));
    assert_eq!(place.completed()["error"], "the sign-in was cancelled");
    eventually("the second address closes", || second.is_closed());
    assert!(!place.is_signed_in());
}

#[test]
fn clients_that_say_nothing_do_not_keep_the_browser_out() {
    let mut place =
        Place::with(|launch| launch.setting("sign_in.connections", 2).setting("sign_in.request_seconds", 1));
    let begun = place.begin();
    let _silent: Vec<TcpStream> = (0..8).map(|_| begun.connect()).collect();
    assert_eq!(begun.grant("c").status, 200);
    assert_eq!(place.completed()["success"], true);
}

#[test]
fn a_port_in_use_is_passed_over_and_none_left_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("it is bound").port();
    let quick = |launch: Launch| launch.setting("sign_in.port_milliseconds", 1);
    let mut place =
        Place::with(|launch| quick(launch).setting("sign_in.port", port).setting("sign_in.fallback_port", 0));
    assert_ne!(place.begin().port, port);
    let mut place =
        Place::with(|launch| quick(launch).setting("sign_in.port", port).setting("sign_in.fallback_port", port));
    let refused = place.client.refusal("account/login/start", json!({"type": "chatgpt"}));
    assert!(refused.code == -32603 && refused.message.contains(&format!("port {port}")), "{refused:?}");
    assert!(refused.message.contains("sign_in.port"), "{refused:?}");
}

#[test]
fn a_user_who_does_not_come_is_waited_for_as_long_as_the_setting_says() {
    let mut place = Place::with(|launch| launch.setting("sign_in.browser_seconds", 1));
    let begun = place.begin();
    assert_eq!(place.completed()["error"], "nobody signed in within 1 s");
    eventually("the address closes", || begun.is_closed());
}

#[test]
fn an_issuer_that_gives_no_tokens_fails_the_sign_in_and_keeps_who_was_there() {
    let mut place = Place::with(|launch| launch.env("CODEX_APP_SERVER_LOGIN_ISSUER", "http://127.0.0.1:1"));
    place.client.call("account/login/start", json!({"type": "apiKey", "apiKey": secrets::used("sk-was-there-before")}));
    place.completed();
    let begun = place.begin();
    assert_eq!(begun.grant("c").status, 400);
    assert_eq!(place.completed()["success"], false);
    assert_eq!(place.client.call("account/read", json!({}))["account"], json!({"type": "apiKey"}));
}
