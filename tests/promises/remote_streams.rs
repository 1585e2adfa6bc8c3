//! Controllers share the server with each other and with local clients, even while the link fails (spec: remote control
//! 6 to 9).

use std::collections::HashSet;
use std::thread;

use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::controller::Acks;
use crate::support::backend::faults::Endpoint;
use crate::support::client::Client;
use crate::support::{eventually, remote};

fn started_thread(client: &mut Client) -> Value {
    client.call("thread/start", json!({}))["thread"]["id"].take()
}

fn rename(client: &mut Client, thread: &Value, name: &str) {
    client.call("thread/name/set", json!({"threadId": thread, "name": name}));
}

/// Sends and receives, so that everything before has been processed.
fn fence(client: &mut Client) {
    client.call("thread/loaded/list", json!({}));
}

#[test]
fn two_phones_and_a_local_client_see_the_same_thread() {
    let (server, backend) = remote::shared();
    let (mut ann, mut bob, mut local) = (backend.controller(), backend.controller(), server.client());
    ann.initialize();
    bob.initialize();
    let thread = started_thread(&mut ann);
    for client in [&mut *bob, &mut local] {
        assert_eq!(client.next_notification("thread/started")["thread"]["id"], thread);
    }
    rename(&mut local, &thread, "from the desk");
    for phone in [&mut *ann, &mut *bob] {
        assert_eq!(phone.next_notification("thread/name/updated")["threadName"], "from the desk");
    }
    rename(&mut bob, &thread, "from the sofa");
    assert_eq!(ann.next_notification("thread/name/updated")["threadName"], "from the sofa");
    let read = local.call("thread/read", json!({"threadId": thread}));
    assert_eq!(read["thread"]["name"], "from the sofa");
}

#[test]
fn a_new_stream_is_told_that_it_is_connected() {
    let (server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    let state = phone.next_notification("remoteControl/status/changed");
    assert_eq!(state["status"], "connected");
    assert_eq!(state, server.client().call("remoteControl/status/read", Value::Null));
}

#[test]
fn a_phone_that_was_cut_off_finds_everything_again() {
    let (server, backend) = remote::shared();
    let (mut phone, mut local) = (backend.controller(), server.client());
    phone.initialize();
    let thread = started_thread(&mut local);
    phone.next_notification("thread/started");
    // From here on the host believes that nothing has arrived, so it must send everything again.
    phone.set_acks(Acks::Never);
    rename(&mut local, &thread, "before");
    fence(&mut phone);
    backend.cut();
    rename(&mut local, &thread, "meanwhile");
    let asked = phone.send_request("thread/read", json!({"threadId": thread}));
    backend.wait_for_host(2);
    assert_eq!(phone.answer_to(asked).expect("an answer")["thread"]["name"], "meanwhile");
    let names: Vec<Value> =
        (0..2).map(|_| phone.next_notification("thread/name/updated")["threadName"].take()).collect();
    assert_eq!(names, ["before", "meanwhile"]);
    phone.set_acks(Acks::Prompt);
    phone.expect_silence();
    assert!(phone.duplicates() > 0, "nothing was sent again");

    let upgrades = backend.requests(Endpoint::Socket);
    assert_eq!(upgrades[0].header("x-codex-subscribe-cursor"), None);
    // What the cursor names was processed: `initialize`, `initialized` and a request.
    assert_eq!(upgrades[1].header("x-codex-subscribe-cursor"), Some("c3"));
}

#[test]
fn nothing_is_lost_or_doubled_while_the_link_is_cut_again_and_again() {
    let (server, backend) = remote::shared();
    let (mut phone, mut local) = (backend.controller(), server.client());
    phone.initialize();
    let thread = started_thread(&mut local);
    phone.next_notification("thread/started");
    let (cuts, names) = (20, 25);
    for cut in 0..cuts {
        let asked: Vec<i64> = (0..names)
            .map(|n| {
                rename(&mut local, &thread, &format!("{cut} {n}"));
                phone.send_request("thread/loaded/list", json!({}))
            })
            .collect();
        backend.cut();
        for id in asked {
            phone.answer_to(id).expect("an answer");
        }
    }
    for cut in 0..cuts {
        for n in 0..names {
            assert_eq!(phone.next_notification("thread/name/updated")["threadName"], format!("{cut} {n}"));
        }
    }
    phone.expect_silence();
}

#[test]
fn a_silent_controller_does_not_stall_the_others() {
    let (server, backend) = remote::shared();
    let (mut silent, mut phone, mut local) = (backend.controller(), backend.controller(), server.client());
    silent.initialize();
    phone.initialize();
    silent.set_acks(Acks::Never);
    let thread = started_thread(&mut local);
    // More than the reference program keeps for all streams together.
    for n in 0..400 {
        rename(&mut local, &thread, &format!("{n}"));
    }
    for n in 0..400 {
        assert_eq!(phone.next_notification("thread/name/updated")["threadName"], format!("{n}"));
    }
    fence(&mut phone);
    assert_eq!(phone.ping(), "active");
    // It gets the rest when it acknowledges again.
    silent.set_acks(Acks::Prompt);
    for n in 0..400 {
        assert_eq!(silent.next_notification("thread/name/updated")["threadName"], format!("{n}"));
    }
}

#[test]
fn acknowledgements_may_come_late_or_for_whole_messages() {
    let (server, backend) = remote::shared();
    let (mut late, mut whole, mut local) = (backend.controller(), backend.controller(), server.client());
    late.initialize();
    whole.initialize();
    late.set_acks(Acks::Late(20));
    whole.set_acks(Acks::Whole);
    let thread = started_thread(&mut local);
    let name = "x".repeat(250_000);
    for n in 0..10 {
        rename(&mut local, &thread, &format!("{name} {n}"));
    }
    for phone in [&mut *late, &mut *whole] {
        for n in 0..10 {
            assert_eq!(phone.next_notification("thread/name/updated")["threadName"], format!("{name} {n}"));
        }
    }
    assert!(whole.chunks() >= 30, "{} chunks", whole.chunks());
}

#[test]
fn a_ping_is_answered_with_what_the_host_knows() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    assert_eq!(phone.ping(), "unknown");
    phone.initialize();
    assert_eq!(phone.ping(), "active");
    phone.close();
    assert_eq!(phone.ping(), "unknown");
}

#[test]
fn a_stream_begins_with_initialize_and_anything_before_is_ignored() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.send_request("thread/loaded/list", json!({}));
    phone.notify("initialized");
    phone.initialize();
    phone.expect_silence();
}

#[test]
fn a_stream_that_is_initialized_again_is_a_new_connection() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize_with(json!({"optOutNotificationMethods": ["thread/started"]}));
    started_thread(&mut phone);
    phone.expect_silence();
    for _ in 0..3 {
        phone.initialize();
    }
    started_thread(&mut phone);
    phone.next_notification("thread/started");
    assert_eq!(phone.ping(), "active");
}

#[test]
fn a_stream_that_was_closed_can_be_opened_again() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    phone.close();
    phone.initialize();
    fence(&mut phone);
}

#[test]
fn sixty_four_controllers_are_served_at_once() {
    let (_server, backend) = remote::shared();
    let phones: Vec<_> = (0..64).map(|_| backend.controller()).collect();
    thread::scope(|scope| {
        for mut phone in phones {
            scope.spawn(move || {
                phone.initialize();
                for _ in 0..20 {
                    fence(&mut phone);
                }
            });
        }
    });
}

#[test]
fn remote_control_may_be_disabled_and_enabled_from_afar() {
    let (server, backend) = remote::shared();
    let (mut phone, mut local) = (backend.controller(), server.client());
    phone.initialize();
    let asked = phone.send_request("remoteControl/disable", json!({"ephemeral": true}));
    while local.next_notification("remoteControl/status/changed")["status"] != "disabled" {}
    local.call("remoteControl/enable", json!({"ephemeral": true}));
    backend.wait_for_host(2);
    // The answer could not be sent when it was made.
    assert_eq!(phone.answer_to(asked).expect("an answer")["status"], "disabled");
    fence(&mut phone);
}

#[test]
fn a_backend_that_is_gone_costs_local_clients_nothing() {
    let (server, backend) = remote::shared();
    let (mut phone, mut local) = (backend.controller(), server.client());
    phone.initialize();
    drop::<Backend>(backend);
    let thread = started_thread(&mut local);
    rename(&mut local, &thread, "alone");
    assert_eq!(local.call("thread/read", json!({"threadId": thread}))["thread"]["name"], "alone");
}

/// Sends so many requests at once. Each is answered exactly once, some by a refusal.
fn burst(phone: &mut Client, count: usize) {
    let mut waiting: HashSet<i64> = (0..count).map(|_| phone.send_request("thread/loaded/list", json!({}))).collect();
    while !waiting.is_empty() {
        let answer = phone.next_answer();
        let id = answer["id"].as_i64().expect("our ids are numbers");
        assert!(waiting.remove(&id), "{id} was answered twice");
        assert!(answer.get("error").is_none_or(|error| error["code"] == -32001), "{answer}");
    }
}

#[test]
fn a_flood_from_afar_is_answered_and_nobody_else_is_refused() {
    let (server, backend) = remote::shared();
    let (mut polite, mut local) = (backend.controller(), server.client());
    polite.initialize();
    let phones: Vec<_> = (0..8).map(|_| backend.controller()).collect();
    thread::scope(|scope| {
        for mut phone in phones {
            scope.spawn(move || {
                phone.initialize();
                // There is no way to slow one of many streams, so what does not fit is refused.
                (0..5).for_each(|_| burst(&mut phone, 200));
            });
        }
        for _ in 0..50 {
            fence(&mut local);
            fence(&mut polite);
        }
    });
}

#[test]
fn a_controller_that_floods_beyond_measure_loses_its_stream_and_can_begin_again() {
    let (server, backend) = remote::shared();
    let (mut phone, mut polite, mut local) = (backend.controller(), backend.controller(), server.client());
    phone.initialize();
    polite.initialize();
    for _ in 0..5_000 {
        phone.send_request("thread/loaded/list", json!({}));
    }
    eventually("the stream is gone", || phone.ping() == "unknown");
    fence(&mut local);
    fence(&mut polite);
    let mut again = backend.controller_of(&phone.sender().client_id, Some("again"));
    again.initialize();
    fence(&mut again);
}
