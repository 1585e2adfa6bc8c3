//! After a stop of the server (a suspended machine, SIGSTOP) what has arrived meanwhile is read before a time limit is
//! applied: the time was not the client's.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::http;
use crate::support::process::Launch;
use crate::support::server::Server;

/// The time limits of these servers, in seconds: more than a busy machine takes between two steps of a test.
const LIMIT: u64 = 4;

/// Stops the server, writes with `write`, and lets it go on when all its limits have passed.
fn write_in_a_stop(server: &Server, write: impl FnOnce()) {
    server.process.signal(Signal::STOP);
    write();
    sleep(Duration::from_secs(LIMIT + 1));
    server.process.signal(Signal::CONT);
}

#[test]
fn an_initialize_that_lay_in_the_socket_is_answered() {
    let server = Server::ws(Launch::new().setting("limits.initialize_seconds", LIMIT));
    let mut client = server.connect();
    let mut id = 0;
    let params = json!({"clientInfo": {"name": "promises", "title": null, "version": "1.0"}});
    write_in_a_stop(&server, || id = client.send_request("initialize", params));
    client.answer_to(id).expect("it is in time");
}

#[test]
fn a_probe_that_lay_in_the_socket_is_answered() {
    let launch = Launch::new().setting("http.client_request_timeout_seconds", LIMIT);
    let server = Server::ws(launch.setting("http.keep_alive_seconds", LIMIT));
    let (begin, rest) = ("GET /healthz HTTP/1.1\r\n", "Host: localhost\r\n\r\n");
    let (mut new, mut kept) = (server.tcp_stream(), server.tcp_stream());
    new.write_all(begin.as_bytes()).expect("it is sent");
    // Its answer says that what came before it was seen, too.
    assert_eq!(http::exchange(&mut kept, &format!("{begin}{rest}")).expect("an answer").status, 200);
    write_in_a_stop(&server, || {
        new.write_all(rest.as_bytes()).expect("it is sent");
        kept.write_all(format!("{begin}{rest}").as_bytes()).expect("it is sent");
    });
    for mut stream in [new, kept] {
        assert_eq!(http::read_response(&mut stream, false).expect("an answer").status, 200);
    }
}
