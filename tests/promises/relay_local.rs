//! A relay and a server in one process, for a phone in the same network.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::{Collected, Launch, Process};
use crate::support::{eventually, secrets};

/// The running program, and what it prints.
fn start(home: &Home, words: &[&str]) -> (Process, Collected) {
    let launch = Launch::at(home).setting("relay.local_port", 0);
    let mut process = launch.args(&["remote-control", "--relay", "local"]).args(words).spawn();
    let printed = Collected::of(process.stdout.take().expect("a pipe"));
    (process, printed)
}

/// What `relay status --json` says, once the machine is connected.
fn status(home: &Home) -> Value {
    let mut status = Value::Null;
    eventually("the machine is connected", || {
        let ended = Launch::at(home).args(&["relay", "status", "--json"]).run();
        status = serde_json::from_str(&ended.stdout).unwrap_or_default();
        status["machines"][0]["machine"]["state"] == "connected"
    });
    status
}

/// The code for typing, and all that was said with it.
fn shown(printed: &Collected) -> (String, String) {
    printed.wait_for("the code", |text| {
        let code = text.split_once("Pairing code: ")?.1.split_once('\n')?.0;
        text.contains("is available").then(|| (secrets::used(code), text.to_owned()))
    })
}

fn port(status: &Value) -> u16 {
    status["listen"].as_str().expect("text").rsplit_once(':').expect("a port").1.parse().expect("a port")
}

/// Asks over TLS, trusting nothing but the certificate in the file: the answer, and the certificate that was shown.
fn ask(home: &Home, port: u16, text: &str) -> (String, Vec<u8>) {
    let mut roots = RootCertStore::empty();
    let pem = fs::read(home.join("relay/local-cert.pem")).expect("the certificate");
    roots.add(CertificateDer::from_pem_slice(&pem).expect("PEM")).expect("a certificate");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = "127.0.0.1".try_into().expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).expect("it listens"));
    stream.write_all(text.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    // Whether the end is announced is of no interest here.
    let _ = stream.read_to_string(&mut answer);
    let shown = stream.conn.peer_certificates().expect("a certificate")[0].to_vec();
    (answer, shown)
}

#[test]
fn without_an_account_one_command_shows_a_code_and_warns_of_a_plain_way() {
    let home = Home::with_config("model_provider = \"echo\"\n");
    let (_process, printed) = start(&home, &[]);
    let (_, text) = shown(&printed);
    assert!(text.contains("Page for the phone: http://") && text.contains("without encryption"), "{text}");
    let status = status(&home);
    assert_eq!(status["tls"], Value::Null);
    assert!(!home.join("relay/local-key.pem").exists());
}

#[test]
fn with_a_certificate_of_its_own_the_page_is_encrypted_and_the_fingerprint_is_on_the_screen() {
    let home = Home::with_config("model_provider = \"echo\"\n");
    let (process, printed) = start(&home, &["--tls"]);
    let (code, text) = shown(&printed);
    let status = status(&home);
    let body = json!({"code": code, "name": "a phone"}).to_string();
    let head = "POST /api/claim HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let claim = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let (answer, certificate) = ask(&home, port(&status), &claim);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("__Host-relay-device=") && answer.contains("Secure"), "{answer}");
    let digest = fingerprint(&certificate);
    let groups = status["tls"]["fingerprint"].as_str().expect("text");
    assert_eq!(groups.replace(' ', ""), digest);
    assert!(text.contains(&groups[..19]) && text.contains(&groups[20..39]), "{text}");
    assert!(text.contains("Page for the phone: https://") && !text.contains("without encryption"), "{text}");
    let key = home.join("relay/local-key.pem");
    assert_eq!(fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
    // The next start shows the same certificate, so that a phone that has accepted it need not ask again.
    let before = fs::read(home.join("relay/local-cert.pem")).expect("the certificate");
    drop(process);
    let (_again, printed) = start(&home, &["--tls"]);
    shown(&printed);
    assert_eq!(fs::read(home.join("relay/local-cert.pem")).expect("the certificate"), before);
}

/// SHA-256 in capital hexadecimal digits.
fn fingerprint(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}

#[test]
fn a_certificate_of_its_own_belongs_to_the_local_relay_only() {
    let words = ["remote-control", "--relay", "https://relay.example.com", "--tls", "--token-file", "token"];
    let ended = Launch::new().args(&words).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("belongs to `--relay local`"), "{}", ended.stderr);
}
