//! One server with several listeners: its clients share everything, and each listener keeps the rules of its kind.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;

use rustix::process::Signal;
use serde_json::json;

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::{Server, connect_to};
use crate::support::{eventually, http};

fn greeted(mut client: Client) -> Client {
    client.initialize();
    client
}

#[test]
fn clients_of_every_kind_share_threads_and_hear_each_other() {
    let (server, address, stdio) = Server::everywhere(Launch::new());
    let mut clients = [greeted(stdio), server.client(), greeted(connect_to(address))];
    for turn in 0..clients.len() {
        let thread = clients[turn].call("thread/start", json!({}))["thread"]["id"].take();
        let name = format!("from client {turn}");
        clients[turn].call("thread/name/set", json!({"threadId": thread, "name": name}));
        for client in &mut clients {
            assert_eq!(client.next_notification("thread/name/updated")["threadName"], *name);
            assert_eq!(client.call("thread/read", json!({"threadId": thread}))["thread"]["name"], *name);
        }
    }
}

#[test]
fn the_end_of_stdio_ends_its_client_and_nothing_else() {
    let (mut server, address, stdio) = Server::everywhere(Launch::new());
    let (mut stdio, mut other) = (greeted(stdio), greeted(connect_to(address)));
    let thread = stdio.call("thread/start", json!({}))["thread"]["id"].take();
    stdio.close();
    assert_eq!(stdio.closed(), None, "its stdout ends");
    other.call("thread/name/set", json!({"threadId": thread, "name": "left behind"}));
    greeted(server.connect());
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    assert!(!server.socket_path().exists(), "the socket is removed");
}

#[test]
fn a_hangup_beside_other_listeners_reloads() {
    let (mut server, address, stdio) = Server::everywhere(Launch::new().env("RUST_LOG", "info"));
    let mut clients = [greeted(stdio), greeted(connect_to(address))];
    server.process.signal(Signal::HUP);
    server.process.stderr.wait_for("the reload", |text| text.contains("reloaded the settings").then_some(()));
    for client in &mut clients {
        client.call("thread/start", json!({}));
    }
    assert!(server.process.is_running());
}

#[test]
fn all_listeners_together_keep_the_bounds_of_connections() {
    let (server, address, stdio) = Server::everywhere(Launch::new().setting("http.max_connections", 1));
    greeted(stdio).call("thread/start", json!({}));
    let over_unix = server.client();
    let mut tcp = std::net::TcpStream::connect(address).expect("the port takes connections");
    let answer = http::exchange(&mut tcp, &http::request("GET", "/", http::UPGRADE)).expect("an answer");
    assert_eq!(answer.status, 503, "the one on the Unix socket counts here, too");
    drop(over_unix);
    eventually("there is room again", || {
        let mut tcp = std::net::TcpStream::connect(address).expect("the port takes connections");
        http::exchange(&mut tcp, &http::request("GET", "/", http::UPGRADE)).is_some_and(|answer| answer.status == 101)
    });
}

#[test]
fn a_listener_that_cannot_be_opened_leaves_no_other_one_behind() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", taken.local_addr().expect("an address"));
    let launch = Launch::new().args(&["--listen", "unix://", "--listen", &url]);
    let socket = launch.home().control_socket();
    let ended = launch.run();
    assert_eq!(ended.code, Some(75), "{}", ended.stderr);
    assert!(ended.stderr.contains(&url), "it is named: {}", ended.stderr);
    assert!(!socket.exists(), "the socket is removed again");
}

#[test]
fn listeners_that_contradict_each_other_are_a_wrong_command_line() {
    for listen in [["off", "unix://"], ["stdio://", "stdio://"], ["ws://127.0.0.1:4500", "ws://127.0.0.1:4500"]] {
        let ended = Launch::new().args(&["--listen", listen[0], "--listen", listen[1]]).run();
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("--listen"), "{}", ended.stderr);
    }
}

#[test]
fn a_socket_that_is_named_twice_over_a_link_is_a_wrong_command_line() {
    let home = Home::new();
    fs::create_dir(home.join("sockets")).expect("a directory");
    symlink(home.join("sockets"), home.join("link")).expect("a link");
    let [one, other] = ["sockets", "link"].map(|name| format!("unix://{}/s.sock", home.join(name).display()));
    let ended = Launch::at(&home).args(&["--listen", &one, "--listen", &other]).run();
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("is given twice"), "{}", ended.stderr);
}

#[test]
fn the_status_names_every_listener() {
    let (server, address, _stdio) = Server::everywhere(Launch::new());
    let ended = Launch::at(server.process.home()).arg("status").run();
    for url in ["stdio://", &format!("unix://{}", server.socket_path().display()), &format!("ws://{address}")] {
        let line = format!("Listens:   {url}\n");
        assert!(ended.stdout.contains(&line), "{line} is missing in {}", ended.stdout);
    }
}

#[test]
fn a_drain_waits_for_the_clients_of_every_listener() {
    let (mut server, address, stdio) = Server::everywhere(Launch::new());
    let mut clients = [greeted(stdio), server.client(), greeted(connect_to(address))];
    let go = server.process.home().join("go");
    let running = [0, 1, 2].map(|number| {
        let begun = server.process.home().join(&format!("begun-{number}"));
        let wait = format!("while ! test -e {}; do sleep 0.02; done", go.display());
        let script = format!("touch {}; {wait}; echo done", begun.display());
        let command = json!({"command": ["sh", "-c", script], "sandboxPolicy": {"type": "dangerFullAccess"}});
        let id = clients[number].send_request("command/exec", command);
        eventually("the command runs", || begun.exists());
        id
    });
    server.process.signal(Signal::TERM);
    assert!(server.process.is_running(), "it waits");
    std::fs::write(go, "").expect("a file");
    for (client, id) in clients.iter_mut().zip(running) {
        let answer = client.answer_to(id).expect("the command may end");
        assert_eq!(answer["stdout"], "done\n");
    }
    assert_eq!(server.process.exit_code(), 0);
}
