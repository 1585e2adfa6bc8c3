//! A relay that speaks TLS itself.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::process::Launch;
use crate::support::tunnels;

#[test]
fn with_a_certificate_the_page_comes_over_tls_and_in_no_other_way() {
    let launch = Launch::new();
    let (certificate, key) = (launch.home().join("cert.pem"), launch.home().join("key.pem"));
    let pem = tunnels::pem();
    fs::write(&certificate, pem.0).expect("the certificate is written");
    fs::write(&key, pem.1).expect("the key is written");
    let words = ["relay", "--listen", "https://127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let relay = launch.setting("http.allowed_hosts", format!("[{:?}]", tunnels::HOST)).args(&words).spawn();
    let address: SocketAddr = relay.stderr.wait_for("the banner", |text| {
        text.split_once("page for phones: https://")?.1.split_once("/\n")?.0.parse().ok()
    });
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", tunnels::HOST);
    let mut encrypted = tunnels::open_tls(TcpStream::connect(address).expect("it listens"));
    encrypted.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    // Whether the end is announced is of no interest here.
    let _ = encrypted.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let mut plain = TcpStream::connect(address).expect("it listens");
    plain.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
}

#[test]
fn a_relay_with_half_of_a_certificate_does_not_start() {
    for words in [&["--listen", "https://127.0.0.1:0"][..], &["--tls-cert", "nothing.pem", "--tls-key", "nothing.pem"]]
    {
        let ended = Launch::new().arg("relay").args(words).run();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("--tls-cert and --tls-key"), "{}", ended.stderr);
    }
}
