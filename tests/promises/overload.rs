//! An overloaded server says so, and only to the clients that cause the load (spec: local transports 10).

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::client::{Client, RpcError, outcome};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_shared_wire, over_every_transport_with};

fn overloaded() -> RpcError {
    RpcError { code: -32001, message: "Server overloaded; retry later.".to_owned(), data: None }
}

/// Sends `count` requests at once: the ids that were refused for overload. Each is answered exactly once.
fn burst(client: &mut Client, count: usize) -> Vec<i64> {
    burst_of(client, count, "thread/list", &json!({}))
}

fn burst_of(client: &mut Client, count: usize, method: &str, params: &Value) -> Vec<i64> {
    let mut waiting: HashSet<i64> = (0..count).map(|_| client.send_request(method, params.clone())).collect();
    let mut refused = Vec::new();
    while !waiting.is_empty() {
        let answer = client.next_answer();
        let id = answer["id"].as_i64().expect("our ids are numbers");
        assert!(waiting.remove(&id), "{id} was answered twice");
        if let Err(error) = outcome(answer) {
            assert_eq!(error, overloaded());
            refused.push(id);
        }
    }
    refused
}

#[test]
fn with_room_for_one_message_everywhere_every_request_is_still_answered() {
    let tight = &[
        ("limits.processor_mailbox_messages", "1"),
        ("limits.router_mailbox_messages", "1"),
        ("limits.threads_mailbox_messages", "1"),
        ("limits.thread_mailbox_messages", "1"),
        ("limits.connection_in_flight_requests", "1"),
        ("limits.connection_waiting_requests", "1"),
    ];
    over_every_transport_with(tight, |server| {
        let mut client = server.client();
        burst(&mut client, 200);
        let thread = retrying(&mut client, "thread/start", json!({}))["thread"]["id"].take();
        for n in 0..20 {
            retrying(&mut client, "thread/name/set", json!({"threadId": thread, "name": format!("{n}")}));
        }
        assert_eq!(retrying(&mut client, "thread/read", json!({"threadId": thread}))["thread"]["name"], "19");
    });
}

/// What a good client does: it asks again.
fn retrying(client: &mut Client, method: &str, params: Value) -> Value {
    loop {
        match client.request(method, params.clone()) {
            Ok(result) => return result,
            Err(error) => assert_eq!(error, overloaded(), "{method} {params}"),
        }
    }
}

#[test]
fn a_request_that_does_not_fit_is_refused_at_once_and_a_retry_works() {
    // One question at a time fits in front of the database; each of these requests asks one. Lists would not do: those
    // of one client are answered one after the other.
    let settings = &[("limits.store_mailbox_messages", "1")];
    over_every_transport_with(settings, |server| {
        let mut client = server.client();
        let thread = json!({"threadId": retrying(&mut client, "thread/start", json!({}))["thread"]["id"]});
        let refused = (0..20).map(|_| burst_of(&mut client, 64, "thread/read", &thread).len()).sum::<usize>();
        assert!(refused > 0, "1,280 requests went through a mailbox of one without a refusal");
        retrying(&mut client, "thread/list", json!({}));
        client.next_notification("thread/started");
        client.expect_silence();
    });
}

#[test]
fn a_pipelining_client_is_slowed_and_not_refused() {
    over_every_shared_wire(|server| {
        let mut client = server.client();
        assert!(burst(&mut client, 2_000).is_empty());
    });
}

#[test]
fn a_flooding_client_does_not_get_a_polite_one_refused() {
    over_every_shared_wire(|server| {
        let mut polite = server.client();
        let flooders: Vec<Client> = (0..8).map(|_| server.client()).collect();
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for mut flooder in flooders {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        burst(&mut flooder, 300);
                    }
                });
            }
            // Set even when the promise is broken, so that the flood ends and the test can fail.
            let outcomes: Vec<Result<Value, RpcError>> =
                (0..50).map(|_| polite.request("thread/list", json!({}))).collect();
            stop.store(true, Ordering::Relaxed);
            assert_eq!(outcomes.into_iter().filter(Result::is_err).count(), 0);
        });
    });
}

#[test]
fn eight_polite_clients_beside_eight_floods_are_not_refused() {
    over_every_shared_wire(|server| {
        let polite: Vec<Client> = (0..8).map(|_| server.client()).collect();
        let flooders: Vec<Client> = (0..8).map(|_| server.client()).collect();
        let stop = AtomicBool::new(false);
        let refused = thread::scope(|scope| {
            for mut flooder in flooders {
                let stop = &stop;
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        burst(&mut flooder, 300);
                    }
                });
            }
            let ask =
                |mut client: Client| (0..20).filter(|_| client.request("thread/list", json!({})).is_err()).count();
            let asking: Vec<_> = polite.into_iter().map(|client| scope.spawn(move || ask(client))).collect();
            let refused: Vec<_> = asking.into_iter().map(|asking| asking.join()).collect();
            stop.store(true, Ordering::Relaxed);
            refused
        });
        assert!(refused.into_iter().all(|refused| refused.expect("no client is cut") == 0));
    });
}

#[test]
fn a_flooder_that_reads_late_gets_every_answer_and_others_are_served_meanwhile() {
    for start in [Server::unix, Server::ws] {
        let server = start(Launch::new());
        let (mut flooder, mut polite) = (server.client(), server.client());
        // Fits into what the system buffers, so that sending does not wait for the reading.
        let mut waiting: HashSet<i64> = (0..1_500).map(|_| flooder.send_request("thread/list", json!({}))).collect();
        for _ in 0..100 {
            polite.call("thread/list", json!({}));
        }
        while !waiting.is_empty() {
            let answer = flooder.next_answer();
            assert!(waiting.remove(&answer["id"].as_i64().expect("our ids are numbers")), "answered twice");
            assert_eq!(outcome(answer).err(), None);
        }
        flooder.expect_silence();
    }
}

#[test]
fn a_crowd_with_a_few_requests_each_is_not_refused() {
    over_every_shared_transport(|server| {
        let clients: Vec<Client> = (0..32).map(|_| server.client()).collect();
        thread::scope(|scope| {
            for mut client in clients {
                scope.spawn(move || {
                    for _ in 0..20 {
                        assert!(burst(&mut client, 3).is_empty());
                    }
                });
            }
        });
    });
}

#[test]
fn a_crowd_that_floods_is_slowed_and_not_refused() {
    over_every_shared_wire(|server| {
        let clients: Vec<Client> = (0..32).map(|_| server.client()).collect();
        thread::scope(|scope| {
            for mut client in clients {
                scope.spawn(move || {
                    assert!(burst(&mut client, 200).is_empty());
                });
            }
        });
    });
}
