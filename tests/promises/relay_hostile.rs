//! A relay that does what it likes with what passes it, between a phone and a machine that speak end to end.

use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::controller::Controller;
use crate::support::relay::sealed::{Keys, Pairing, Sealing, bytes};
use crate::support::secrets;
use crate::support::server::Server;
use crate::support::transports::with_settings;
use crate::support::{home::Home, remote};

const REQUIRED: &[(&str, &str)] = &[("remote_control.end_to_end", "\"required\"")];

/// A phone, and what it keeps.
struct Phone {
    line: Controller,
    sealing: Sealing,
    keys: Keys,
}

fn hostile() -> (Server, Backend) {
    remote::shared_with(REQUIRED)
}

fn pairing(server: &Server, params: Value) -> Value {
    let pairing = server.client().call("remoteControl/pairing/start", params);
    secrets::used(pairing["endToEnd"]["secret"].as_str().expect("a secret"));
    pairing
}

fn keys(pairing: &Value, client: &str) -> Keys {
    let machine = bytes(&pairing["endToEnd"]["key"]).try_into().expect("32 bytes");
    Keys::new(pairing["environmentId"].as_str().expect("an id"), client, machine)
}

fn stream_of(line: &Controller) -> String {
    line.sender().stream_id.clone().expect("a stream")
}

/// The next object that the machine sends on a stream.
fn heard(line: &mut Controller) -> Value {
    serde_json::from_str(&line.next_text("an object")).expect("JSON")
}

fn exchange(line: &mut Controller, object: &Value) -> Value {
    line.send_raw(&object.to_string());
    heard(line)
}

impl Phone {
    /// One that is paired by a secret, on a stream of its own; its connection is open.
    fn paired(server: &Server, backend: &Backend, scopes: Value) -> Self {
        let pairing = pairing(server, json!({"scopes": scopes}));
        let mut line = backend.controller();
        let keys = keys(&pairing, &line.sender().client_id);
        let secret = bytes(&pairing["endToEnd"]["secret"]);
        let stream = stream_of(&line);
        let (mut sealing, greeting) = Sealing::greeting(&keys, &stream, Some(Pairing::Secret(&secret)));
        sealing.answered(&exchange(&mut line, &greeting));
        let said = exchange(&mut line, &sealing.opening("a phone"));
        assert_eq!(sealing.open(&said), r#"{"pairing":"accepted"}"#);
        Self { line, sealing, keys }.initialized()
    }

    /// The same device on another stream.
    fn again(&self, backend: &Backend, stream: &str) -> Self {
        let mut line = backend.controller_of(&self.keys.client, Some(stream));
        let (mut sealing, greeting) = Sealing::greeting(&self.keys, stream, None);
        sealing.answered(&exchange(&mut line, &greeting));
        Self { line, sealing, keys: self.keys.clone() }.initialized()
    }

    fn initialized(mut self) -> Self {
        let params =
            json!({"clientInfo": {"name": "phone", "version": "1"}, "capabilities": {"experimentalApi": true}});
        self.seal_and_send(&json!({"id": 0, "method": "initialize", "params": params}));
        assert!(self.answer(0)["result"]["userAgent"].is_string());
        self.seal_and_send(&json!({"method": "initialized"}));
        self
    }

    fn seal(&mut self, message: &Value) -> String {
        self.sealing.seal(&message.to_string()).to_string()
    }

    fn seal_and_send(&mut self, message: &Value) {
        let sealed = self.seal(message);
        self.line.send_raw(&sealed);
    }

    /// The answer to a request; news before it are dropped.
    fn answer(&mut self, id: i64) -> Value {
        loop {
            let object = heard(&mut self.line);
            let message: Value = serde_json::from_str(&self.sealing.open(&object)).expect("JSON");
            if message["id"] == id {
                return message;
            }
        }
    }

    fn list(&mut self, id: i64) -> String {
        self.seal(&json!({"id": id, "method": "thread/loaded/list", "params": {}}))
    }

    /// The machine has ended the stream, in words.
    fn is_ended(&mut self, reason: &str) {
        let told = loop {
            let object = heard(&mut self.line);
            if object["endToEnd"] == "ended" {
                break object;
            }
        };
        assert_eq!(told["reason"], reason, "{told}");
        assert!(told["text"].as_str().is_some_and(|text| text.len() > 40), "{told}");
        assert_eq!(self.line.ping(), "unknown");
    }
}

#[test]
fn what_is_repeated_left_out_reordered_or_changed_ends_the_stream_in_words() {
    let (server, backend) = hostile();
    let first = Phone::paired(&server, &backend, json!(["observe"]));
    let say = |phone: &mut Phone, texts: &[&str]| texts.iter().for_each(|text| phone.line.send_raw(text));
    type Meddle = fn(&str, &str) -> Vec<String>;
    let meddlers: [(&str, Meddle); 4] = [
        ("repeated", |one, _| vec![one.to_owned(), one.to_owned()]),
        ("left out", |_, two| vec![two.to_owned()]),
        ("reordered", |one, two| vec![two.to_owned(), one.to_owned()]),
        ("changed", |one, _| vec![one.replacen("\"data\":\"", "\"data\":\"AAAA", 1)]),
    ];
    for (what, meddle) in meddlers {
        let mut phone = first.again(&backend, what);
        let (one, two) = (phone.list(1), phone.list(2));
        let said = meddle(&one, &two);
        say(&mut phone, &said.iter().map(String::as_str).collect::<Vec<_>>());
        phone.is_ended("tampered");
    }
    // And the device may come again.
    let mut again = first.again(&backend, "again");
    again.seal_and_send(&json!({"id": 1, "method": "thread/loaded/list", "params": {}}));
    assert!(again.answer(1)["result"].is_object());
}

#[test]
fn a_message_of_another_stream_cannot_be_put_in() {
    let (server, backend) = hostile();
    let first = Phone::paired(&server, &backend, json!(["observe"]));
    let (mut one, mut two) = (first.again(&backend, "one"), first.again(&backend, "two"));
    let spliced = two.list(1);
    one.line.send_raw(&spliced);
    one.is_ended("tampered");
    two.line.send_raw(&spliced);
    assert!(two.answer(1)["result"].is_object(), "the other one is not concerned");
}

#[test]
fn nobody_is_talked_into_speaking_plainly() {
    let (server, backend) = hostile();
    let mut phone = Phone::paired(&server, &backend, json!(["observe", "converse", "files", "admin"]));
    // On a stream of its own, and on that of a phone.
    let mut relay = backend.controller_of(&phone.keys.client, Some("plain"));
    let params = json!({"clientInfo": {"name": "relay", "version": "1"}});
    let refused = relay.refusal("initialize", params.clone());
    assert!(refused.message.contains("encrypted end to end"), "{refused:?}");
    phone.line.send_raw(&json!({"id": "x", "method": "thread/start", "params": {}}).to_string());
    phone.seal_and_send(&json!({"id": 1, "method": "thread/loaded/list", "params": {}}));
    assert_eq!(phone.answer(1)["result"]["data"], json!([]), "nothing was started");
}

#[test]
fn the_scopes_in_an_envelope_count_for_nothing() {
    let (server, backend) = hostile();
    let mut phone = Phone::paired(&server, &backend, json!(["observe"]));
    let stream = "wide";
    let mut line = backend.controller_of(&phone.keys.client, Some(stream));
    let (mut sealing, greeting) = Sealing::greeting(&phone.keys, stream, None);
    sealing.answered(&exchange(&mut line, &greeting));
    let initialize = json!({"id": 0, "method": "initialize", "params": {"clientInfo": {"name": "p", "version": "1"}}});
    let message = sealing.seal(&initialize.to_string());
    let envelope = json!({"type": "client_message", "client_id": phone.keys.client, "stream_id": stream,
        "seq_id": line.next_seq_id(), "message": message, "scopes": ["observe", "converse", "files", "admin"]});
    backend.send_text(&envelope.to_string());
    phone = Phone { line, sealing, keys: phone.keys };
    assert!(phone.answer(0)["result"].is_object());
    phone.seal_and_send(&json!({"id": 1, "method": "thread/start", "params": {}}));
    let refused = phone.answer(1);
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("converse")), "{refused}");
}

#[test]
fn a_relay_with_a_key_of_its_own_shows_other_words_and_gets_nothing() {
    let (server, backend) = hostile();
    let pairing = pairing(&server, json!({"manualCode": true}));
    let code = pairing["manualPairingCode"].as_str().expect("a code");
    // What the relay does in the phone's place. The words on the phone come of another handshake, so they are others.
    let mut line = backend.controller();
    let keys = keys(&pairing, &line.sender().client_id);
    let (mut sealing, greeting) = Sealing::greeting(&keys, &stream_of(&line), Some(Pairing::Code(code)));
    sealing.answered(&exchange(&mut line, &greeting));
    let said = exchange(&mut line, &sealing.opening("the phone"));
    assert_eq!(sealing.open(&said), r#"{"pairing":"waiting"}"#);
    // It does not wait for the person.
    let mut relay = Phone { line, sealing, keys };
    relay.seal_and_send(&json!({"id": 0, "method": "initialize", "params": {}}));
    relay.is_ended("invalid");
    // Nor is it let in as somebody who was paired.
    let (_, greeting) = Sealing::greeting(&relay.keys, &stream_of(&relay.line), None);
    let told = exchange(&mut relay.line, &greeting);
    assert_eq!(told["reason"], "unknownDevice", "{told}");
}

#[test]
fn who_guesses_the_secret_of_a_link_gets_nothing() {
    let (server, backend) = hostile();
    let pairing = pairing(&server, json!({}));
    let mut line = backend.controller();
    let keys = keys(&pairing, &line.sender().client_id);
    let secret = bytes(&pairing["endToEnd"]["secret"]);
    let stream = stream_of(&line);
    let (_, named) = Sealing::greeting(&keys, &stream, Some(Pairing::Secret(&secret)));
    let (_, mut guess) = Sealing::greeting(&keys, &stream, Some(Pairing::Secret(b"a guess of 16 by")));
    guess["pairing"] = named["pairing"].clone();
    assert_eq!(exchange(&mut line, &guess)["endToEnd"], "handshake");
    let told = exchange(&mut line, &json!({"endToEnd": "sealed", "data": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}));
    assert_eq!(told["reason"], "tampered", "{told}");
}

#[test]
fn a_revoked_device_stays_out_even_after_a_restart_whatever_the_relay_does() {
    let backend = Backend::start();
    let home = backend.home();
    let start = |home: &Home| Server::unix(with_settings(remote::launch(&backend, home), REQUIRED));
    let server = start(&home);
    backend.wait_for_host(1);
    let phone = Phone::paired(&server, &backend, json!(["observe"]));
    let revoke = json!({"environmentId": phone.keys.environment, "clientId": phone.keys.client});
    // The relay says that it knows no such device; it would let it through.
    server.client().request("remoteControl/client/revoke", revoke).ok();
    drop(server);
    let connections = backend.connections();
    let _server = start(&home);
    backend.wait_for_host(connections + 1);
    let mut line = backend.controller_of(&phone.keys.client, Some("again"));
    let (_, greeting) = Sealing::greeting(&phone.keys, "again", None);
    let told = exchange(&mut line, &greeting);
    assert_eq!(told["reason"], "unknownDevice", "{told}");
}
