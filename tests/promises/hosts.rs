//! On TCP only requests for hosts of this machine are answered, so that a web page cannot reach it by DNS rebinding.

use crate::support::http::{self, Response, UPGRADE, upgrade_but};
use crate::support::process::Launch;
use crate::support::secrets::sha256_hex;
use crate::support::server::Server;

fn ask(server: &Server, text: &str) -> Response {
    http::exchange(&mut server.tcp_stream(), text).unwrap_or_else(|| panic!("no answer to {text:?}"))
}

fn status(server: &Server, path: &str, host: &str) -> u16 {
    let upgrade = ask(server, &http::request("GET", path, &upgrade_but("Host", Some(host)))).status;
    if upgrade == 101 { 200 } else { upgrade }
}

#[test]
fn this_machine_is_answered_by_each_of_its_names() {
    let server = Server::ws(Launch::new());
    let own = server.tcp_address().to_string();
    for host in ["localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.5.5.5", "[::1]:80", own.as_str()] {
        for path in ["/", "/readyz"] {
            assert_eq!(status(&server, path, host), 200, "{host} {path}");
        }
    }
}

#[test]
fn another_host_is_misdirected_on_every_route() {
    let server = Server::ws(Launch::new());
    for host in ["evil.example", "localhost.evil.example", "192.0.2.1", "0.0.0.0", "127.1", "[2001:db8::1]"] {
        for path in ["/", "/readyz", "/healthz"] {
            let response = ask(&server, &http::request("GET", path, &[("Host", host)]));
            assert_eq!(response.status, 421, "{host} {path}");
            assert!(response.body.contains("http.allowed_hosts"), "it says what to do: {response:?}");
            assert_eq!(status(&server, path, host), 421, "{host} {path}");
        }
    }
}

#[test]
fn a_request_names_one_host() {
    let server = Server::ws(Launch::new());
    let twice = [("Host", "localhost"), ("Host", "localhost")];
    for headers in [&[][..], &twice, &[("Host", "")], &[("Host", "a b")], &[("Host", "user@localhost")]] {
        assert_eq!(ask(&server, &http::request("GET", "/readyz", headers)).status, 400, "{headers:?}");
    }
    assert_eq!(ask(&server, "GET /readyz HTTP/1.0\r\n\r\n").status, 200, "old load balancers name none");
}

#[test]
fn a_host_in_the_request_line_counts_as_well() {
    let server = Server::ws(Launch::new());
    let ask = |target: &str, host: &str| ask(&server, &http::request("GET", target, &[("Host", host)])).status;
    assert_eq!(ask("http://localhost/readyz", "localhost"), 200);
    assert_eq!(ask("http://evil.example/readyz", "localhost"), 421);
    assert_eq!(ask("http://localhost/readyz", "evil.example"), 421);
}

#[test]
fn the_operator_can_allow_more() {
    let server = Server::ws(Launch::new().setting("http.allowed_hosts", r#"["agent.example", "10.1.2.3"]"#));
    for host in ["agent.example", "Agent.Example.:443", "10.1.2.3:4500", "localhost"] {
        assert_eq!(status(&server, "/readyz", host), 200, "{host}");
    }
    assert_eq!(status(&server, "/readyz", "example"), 421);

    let launch = Launch::new().setting("http.allowed_hosts", r#"["https://agent.example"]"#);
    let ended = launch.args(&["--listen", "ws://127.0.0.1:0"]).run();
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("`https://agent.example` is not a host name or address"), "{ended:?}");
}

#[test]
fn a_listener_on_all_addresses_answers_to_the_one_that_was_reached() {
    let digest = sha256_hex("for all addresses");
    let flags = ["--ws-auth", "capability-token", "--ws-token-sha256", &digest];
    let server = Server::ws_at(Launch::new().args(&flags), "ws://0.0.0.0:0");
    assert_eq!(status(&server, "/readyz", "127.0.0.1"), 200);
    assert_eq!(status(&server, "/readyz", "10.1.2.3"), 421, "nobody has reached us there");
}

#[test]
fn a_unix_socket_has_no_host() {
    let server = Server::unix(Launch::new());
    for host in ["localhost", "anything.example"] {
        let text = http::request("GET", "/readyz", &[("Host", host)]);
        assert_eq!(http::exchange(&mut server.unix_stream(), &text).expect("an answer").status, 200);
    }
    let text = http::request("GET", "/", UPGRADE);
    assert_eq!(http::exchange(&mut server.unix_stream(), &text).expect("an answer").status, 101);
}
