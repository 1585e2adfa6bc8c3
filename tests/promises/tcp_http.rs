//! The answers of the TCP listener to HTTP requests (spec: local transports 4).

use crate::support::http::{self, UPGRADE, upgrade_but};
use crate::support::process::Launch;
use crate::support::server::Server;

const HOST: (&str, &str) = ("Host", "localhost");

fn ask(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> http::Response {
    let text = http::request(method, path, headers);
    http::exchange(&mut server.tcp_stream(), &text).unwrap_or_else(|| panic!("no answer to {text:?}"))
}

#[test]
fn the_banner_names_the_real_port_and_both_probes() {
    let server = Server::ws(Launch::new());
    let address = server.tcp_address();
    assert_ne!(address.port(), 0);
    let banner = server.process.stderr.wait_for("the whole banner", |text| {
        text.contains("warning: ").then(|| text.to_owned()).filter(|text| text.ends_with('\n'))
    });
    let expected = format!(
        "codex app-server (WebSockets)\n  listening on: ws://{address}\n  readyz: http://{address}/readyz\n  healthz: \
         http://{address}/healthz\n  note: binds localhost only (use SSH port-forwarding for remote access)\n  \
         warning: every user of this machine can use this server with your rights; add --ws-auth capability-token \
         --ws-token-file PATH\n"
    );
    // A line of the log follows where the machine has other users.
    assert!(banner.starts_with(&expected), "{banner}");
}

#[test]
fn the_probes_answer_get_and_head_and_nothing_else() {
    let server = Server::ws(Launch::new());
    for path in ["/readyz", "/healthz", "/readyz?verbose=1"] {
        for method in ["GET", "HEAD"] {
            let response = ask(&server, method, path, &[HOST]);
            assert_eq!((response.status, response.body.as_str()), (200, ""), "{method} {path}");
            assert_eq!(response.header("content-length"), Some("0"));
            assert_eq!(response.header("content-type"), None);
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let response = ask(&server, method, path, &[HOST]);
            assert_eq!((response.status, response.body.as_str()), (405, ""), "{method} {path}");
            let allow = response.header("allow").expect("what is allowed is named").replace(' ', "");
            assert_eq!(allow, "GET,HEAD");
        }
        assert_eq!(ask(&server, "GET", path, UPGRADE).status, 200, "a probe is no websocket");
    }
}

#[test]
fn an_origin_is_refused_on_every_route_whatever_it_says() {
    let server = Server::ws(Launch::new());
    let own = format!("http://{}", server.tcp_address());
    for origin in ["http://evil.example", "null", "", &own] {
        for path in ["/", "/readyz", "/healthz", "/rpc"] {
            for method in ["GET", "HEAD", "POST"] {
                let with_upgrade = [UPGRADE, &[("Origin", origin)]].concat();
                for headers in [vec![HOST, ("Origin", origin)], with_upgrade] {
                    let response = ask(&server, method, path, &headers);
                    assert_eq!((response.status, response.body.as_str()), (403, ""), "{method} {path} {origin}");
                    assert_eq!(response.header("content-length"), Some("0"));
                }
            }
        }
    }
}

#[test]
fn a_request_that_is_no_upgrade_is_told_what_is_missing() {
    let server = Server::ws(Launch::new());
    let no_connection = "Connection header did not include 'upgrade'";
    let no_upgrade = "`Upgrade` header did not include 'websocket'";
    let no_version = "`Sec-WebSocket-Version` header did not include '13'";
    let cases = [
        (vec![HOST], no_connection),
        (upgrade_but("Connection", None), no_connection),
        (upgrade_but("Connection", Some("keep-alive")), no_connection),
        (upgrade_but("Upgrade", None), no_upgrade),
        (upgrade_but("Upgrade", Some("h2c")), no_upgrade),
        (upgrade_but("Upgrade", Some("h2c, websocketx")), no_upgrade),
        (upgrade_but("Sec-WebSocket-Key", None), "`Sec-WebSocket-Key` header missing"),
        (upgrade_but("Sec-WebSocket-Version", None), no_version),
        (upgrade_but("Sec-WebSocket-Version", Some("8")), no_version),
    ];
    for (headers, body) in cases {
        for path in ["/", "/anything", "/readyz/"] {
            let response = ask(&server, "GET", path, &headers);
            assert_eq!((response.status, response.body.as_str()), (400, body), "{path} {headers:?}");
            assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
        }
    }
}

#[test]
fn an_upgrade_is_a_get() {
    let server = Server::ws(Launch::new());
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let response = ask(&server, method, "/", UPGRADE);
        assert_eq!((response.status, response.body.as_str()), (405, "Request method must be `GET`"), "{method}");
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(ask(&server, "HEAD", "/", UPGRADE).status, 405);
}

#[test]
fn any_path_upgrades_and_harmless_variations_are_accepted() {
    let server = Server::ws(Launch::new());
    let extra = [
        UPGRADE,
        &[
            ("Sec-WebSocket-Protocol", "chat"),
            ("Sec-WebSocket-Extensions", "permessage-deflate"),
            ("x-codex-app-server-compression", "zstd-stream-v1"),
            ("Authorization", "Bearer whatever"),
        ],
    ]
    .concat();
    let variations = [
        UPGRADE.to_vec(),
        upgrade_but("Connection", Some("keep-alive, Upgrade")),
        upgrade_but("Connection", Some("upgrade")),
        upgrade_but("Upgrade", Some("WebSocket")),
        upgrade_but("Upgrade", Some("websocket, h2c")),
        upgrade_but("Upgrade", Some("h2c,WebSocket")),
        upgrade_but("Host", Some("127.0.0.1:1")),
        extra,
    ];
    for headers in variations {
        for path in ["/", "/rpc", "/daemon/shutdown", "/a/b?c=d"] {
            let response = ask(&server, "GET", path, &headers);
            assert_eq!(response.status, 101, "{path} {headers:?}");
            assert_eq!(response.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
            for absent in ["sec-websocket-protocol", "sec-websocket-extensions", "x-codex-app-server-compression"] {
                assert_eq!(response.header(absent), None, "{headers:?}");
            }
        }
    }
}

#[test]
fn http_1_0_knows_no_upgrades() {
    let server = Server::ws(Launch::new());
    let text = http::request("GET", "/", UPGRADE).replace("HTTP/1.1", "HTTP/1.0");
    let response = http::exchange(&mut server.tcp_stream(), &text).expect("an answer");
    assert_eq!(response.status, 400, "{response:?}");
    let probe = "GET /healthz HTTP/1.0\r\n\r\n";
    assert_eq!(http::exchange(&mut server.tcp_stream(), probe).expect("an answer").status, 200);
}

#[test]
fn a_connection_can_probe_again_and_then_upgrade() {
    let server = Server::ws(Launch::new());
    let mut stream = server.tcp_stream();
    for _ in 0..3 {
        let response = http::exchange(&mut stream, &http::request("GET", "/healthz", &[HOST]));
        assert_eq!(response.expect("an answer").status, 200);
    }
    let response = http::exchange(&mut stream, &http::request("GET", "/", UPGRADE));
    assert_eq!(response.expect("an answer").status, 101);
}

#[test]
fn bytes_that_are_no_http_are_a_bad_request() {
    let server = Server::ws(Launch::new());
    for text in ["{\"id\":1}\r\n\r\n", "\u{16}\u{3}\u{1}garbage\r\n\r\n"] {
        let response = http::exchange(&mut server.tcp_stream(), text).expect("an answer");
        assert_eq!((response.status, response.body.as_str()), (400, ""));
    }
    server.client();
}

#[test]
fn a_request_head_that_never_ends_is_given_up() {
    let server = Server::ws(Launch::new().setting("http.client_request_timeout_seconds", 2));
    let response = http::exchange(&mut server.tcp_stream(), "GET / HTTP/1.1\r\nHost: localhost\r\n");
    let response = response.expect("a word");
    assert!(response.status == 408 && response.body.contains("did not arrive in time"), "{response:?}");
    server.client();
}
