//! A relay of the real binary, with real servers behind it and phones in front of it.

pub mod cable;
pub mod phone;
pub mod push_service;
pub mod sealed;
pub mod tap;

use std::fs;
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use super::client::Client;
use super::home::Home;
use super::http;
use super::process::{Launch, Process};
use super::secrets;
use super::server::Server;
use super::transports::{Settings, with_settings};
use super::wire::patient;

/// A running relay; ended by force when dropped.
pub struct Relay {
    pub process: Process,
    pub address: SocketAddr,
}

/// A machine that is paired with phones through a relay.
pub struct Machine {
    pub server: Server,
    /// A client on its control socket.
    pub client: Client,
}

/// A device that was paired.
pub struct Device {
    /// What it shows.
    pub token: String,
    pub environment: String,
    pub client_id: String,
}

impl Relay {
    /// On a port of its own, in a home of its own.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings that differ from the defaults.
    pub fn start_with(settings: Settings) -> Self {
        Self::start_in(&Home::new(), "http://127.0.0.1:0", settings)
    }

    /// In `home`, at `listen`.
    pub fn start_in(home: &Home, listen: &str, settings: Settings) -> Self {
        Self::start_by(with_settings(Launch::at(home), settings), listen)
    }

    /// As `launch` says, at `listen`.
    pub fn start_by(launch: Launch, listen: &str) -> Self {
        let process = launch.args(&["relay", "--listen", listen]).spawn();
        let address = process.stderr.wait_for("the banner", |text| {
            let rest = text.split_once("page for phones: http://")?.1;
            rest.split_once("/\n")?.0.parse().ok()
        });
        Self { process, address }
    }

    /// What `relay token` prints.
    pub fn token(&self, words: &[&str]) -> String {
        let ended = Launch::at(self.process.home()).args(&["relay", "token"]).args(words).run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stdout
    }

    /// A new token of the account `name`.
    pub fn account(&self, name: &str) -> String {
        secrets::used(self.token(&["add", name]).trim())
    }

    /// A machine of the account with this token, that reaches the relay through `cable`.
    pub fn machine(&self, token: &str) -> Machine {
        self.machine_at(&Home::with_config("model_provider = \"echo\"\n"), token, self.address)
    }

    /// The same in `home`, with the relay at `address`. Its phones speak plainly.
    pub fn machine_at(&self, home: &Home, token: &str, address: SocketAddr) -> Machine {
        self.machine_with(home, token, address, "off")
    }

    /// The same with a rule of end-to-end encryption.
    pub fn machine_with(&self, home: &Home, token: &str, address: SocketAddr, end_to_end: &str) -> Machine {
        let file = home.join("relay-token");
        fs::write(&file, token).expect("the token is written");
        let launch = Launch::at(home)
            .setting("remote_control.relay", format!("\"http://{address}\""))
            .setting("remote_control.relay_token_file", format!("{:?}", file.to_str().expect("a path")))
            .setting("remote_control.end_to_end", format!("{end_to_end:?}"))
            .setting("remote_control.backoff_first_milliseconds", 10)
            .setting("remote_control.backoff_most_milliseconds", 40)
            .arg("--remote-control");
        let server = Server::unix(launch);
        let mut client = server.client();
        while client.call("remoteControl/status/read", Value::Null)["status"] != "connected" {
            client.next_notification("remoteControl/status/changed");
        }
        Machine { server, client }
    }

    /// Where machines and phones reach it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A bare connection.
    pub fn stream(&self) -> TcpStream {
        patient(TcpStream::connect(self.address).expect("the relay listens"))
    }

    /// The answer to a request with a JSON body.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> http::Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len().to_string();
        let fixed = [("Host", "localhost"), ("Content-Type", "application/json"), ("Content-Length", length.as_str())];
        let text = http::request(method, path, &[&fixed, headers].concat()) + &body;
        http::exchange(&mut self.stream(), &text).expect("an answer")
    }

    /// The answer to a claim of `code`.
    pub fn claim(&self, code: &str) -> http::Response {
        self.request("POST", "/api/claim", &[], &json!({"code": code, "name": "a phone"}))
    }

    /// A new device of `machine`.
    pub fn pair(&self, machine: &mut Machine) -> Device {
        self.pair_by(&machine.code())
    }

    /// A new device, by a code.
    pub fn pair_by(&self, code: &str) -> Device {
        let answer = self.claim(code);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let view: Value = serde_json::from_str(&answer.body).expect("JSON");
        let cookie = answer.header("set-cookie").expect("a cookie");
        let token = cookie.split(['=', ';']).nth(1).expect("a value");
        let text = |name: &str| view[name].as_str().expect("text").to_owned();
        Device { token: secrets::used(token), environment: text("environmentId"), client_id: text("clientId") }
    }

    /// The status of a request by `device`.
    pub fn as_device(&self, device: &Device, method: &str, path: &str) -> http::Response {
        let bearer = format!("Bearer {}", device.token);
        self.request(method, path, &[("Authorization", &bearer)], &Value::Null)
    }
}

impl Machine {
    /// A new code for typing.
    pub fn code(&mut self) -> String {
        let pairing = self.client.call("remoteControl/pairing/start", json!({"manualCode": true}));
        secrets::used(pairing["manualPairingCode"].as_str().expect("a code"))
    }
}
