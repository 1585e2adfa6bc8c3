//! A server that has too much to do says so, and only to whom it is due (design section 3, spec: local transports 10).

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::client::{Client, RpcError, outcome};
use crate::support::transports::{
    over_every_shared_transport, over_every_shared_transport_with, over_every_transport_with,
};

fn overloaded() -> RpcError {
    RpcError { code: -32001, message: "Server overloaded; retry later.".to_owned(), data: None }
}

/// Sends `count` requests at once: the ids that were refused for overload. Each is answered exactly once.
fn burst(client: &mut Client, count: usize) -> Vec<i64> {
    let mut waiting: HashSet<i64> = (0..count).map(|_| client.send_request("thread/list", json!({}))).collect();
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
    // Each client may have one request in the mailbox; there is room for one of them all.
    let settings = &[("limits.processor_mailbox_messages", "1")];
    over_every_shared_transport_with(settings, |server| {
        let settled = || {
            let mut client = server.client();
            // Its notification `initialized` has been taken too, so the next client's handshake finds room.
            retrying(&mut client, "thread/loaded/list", json!({}));
            client
        };
        let mut clients: Vec<Client> = (0..16).map(|_| settled()).collect();
        let refused = AtomicUsize::new(0);
        thread::scope(|scope| {
            for client in &mut clients {
                let refused = &refused;
                scope.spawn(move || {
                    for _ in 0..40 {
                        refused.fetch_add(burst(client, 16).len(), Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(refused.into_inner() > 0, "10,240 requests of a crowd went through a mailbox of one without a refusal");
        retrying(&mut clients[0], "thread/list", json!({}));
        clients[0].expect_silence();
    });
}

#[test]
fn a_pipelining_client_is_slowed_and_not_refused() {
    over_every_shared_transport(|server| {
        let mut client = server.client();
        assert!(burst(&mut client, 2_000).is_empty());
    });
}

#[test]
fn a_flooding_client_does_not_get_a_polite_one_refused() {
    over_every_shared_transport(|server| {
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
    over_every_shared_transport(|server| {
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
