//! Sockets that a supervisor has opened, as systemd passes them on.

use std::fs::{self, Permissions};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::json;

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::{Server, connect_at, connect_to};

/// A private socket in a private folder of `home`.
fn socket(home: &Home, mode: u32) -> (UnixListener, PathBuf) {
    let folder = home.join("app-server-control");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("its mode");
    let path = home.control_socket();
    let listener = UnixListener::bind(&path).expect("a socket");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its mode");
    (listener, path)
}

fn greeted(mut client: Client) -> Client {
    client.initialize();
    client
}

#[test]
fn an_inherited_socket_takes_the_place_of_the_listener_with_its_path() {
    let home = Home::new();
    let (listener, path) = socket(&home, 0o600);
    // The client is there before the server.
    let early = std::thread::spawn({
        let path = path.clone();
        move || greeted(connect_at(&path))
    });
    let launch = Launch::at(&home).args(&["--listen", "unix://"]).socket(listener);
    let mut server = Server::unix_at(launch, path.clone());
    early.join().expect("it is served").call("thread/start", json!({}));
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    assert!(path.exists(), "the socket is the supervisor's");
}

#[test]
fn inherited_sockets_are_served_without_being_named() {
    let home = Home::new();
    let (listener, path) = socket(&home, 0o600);
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = tcp.local_addr().expect("an address");
    let server = Server::unix_at(Launch::at(&home).socket(listener).socket(tcp), path);
    let (mut ann, mut bob) = (server.client(), greeted(connect_to(address)));
    let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
    ann.call("thread/name/set", json!({"threadId": thread, "name": "shared"}));
    assert_eq!(bob.next_notification("thread/name/updated")["threadName"], "shared");
}

#[test]
fn an_inherited_socket_keeps_the_rules_of_its_kind() {
    let home = Home::new();
    let (listener, path) = socket(&home, 0o666);
    let ended = Launch::at(&home).socket(listener).run();
    assert_eq!(ended.code, Some(78), "{}", ended.stderr);
    assert!(ended.stderr.contains("SocketMode=0600") && ended.stderr.contains(path.to_str().expect("a name")));

    let everywhere = TcpListener::bind("0.0.0.0:0").expect("a port");
    let ended = Launch::new().socket(everywhere).run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("without auth"), "{}", ended.stderr);
}

#[test]
fn what_is_no_listener_is_refused_in_words() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connection = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
    let (file, _) = std::os::unix::net::UnixDatagram::pair().expect("a pair");
    for launch in [Launch::new().socket(connection), Launch::new().socket(file)] {
        let ended = launch.run();
        assert_eq!(ended.code, Some(78), "{}", ended.stderr);
        assert!(ended.stderr.contains("the inherited socket 0 (LISTEN_FDS) cannot be served"), "{}", ended.stderr);
    }
}

#[test]
fn sockets_for_another_process_are_left_alone() {
    let server = Server::stdio(Launch::new().env("LISTEN_FDS", "1").env("LISTEN_PID", "1"));
    server.client().call("thread/start", json!({}));
}
