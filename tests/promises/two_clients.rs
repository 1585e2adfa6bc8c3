//! Clients that share a server see each other's changes (spec: local transports 8.1).

use serde_json::json;

use crate::support::transports::{over_every_shared_transport, over_every_shared_wire};

#[test]
fn a_rename_reaches_the_other_client_and_the_one_who_made_it() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
        assert_eq!(bob.call("thread/name/set", json!({"threadId": thread, "name": "  padded  "})), json!({}));
        for client in [&mut ann, &mut bob] {
            let params = client.next_notification("thread/name/updated");
            assert_eq!(params, json!({"threadId": thread, "threadName": "padded"}));
        }
        assert_eq!(ann.call("thread/read", json!({"threadId": thread}))["thread"]["name"], "padded");
    });
}

#[test]
fn a_name_that_is_set_again_is_announced_again() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
        for _ in 0..2 {
            ann.call("thread/name/set", json!({"threadId": thread, "name": "same"}));
            assert_eq!(bob.next_notification("thread/name/updated")["threadName"], "same");
        }
    });
}

#[test]
fn the_name_that_was_told_last_is_the_name_that_holds() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
        let mut requests = Vec::new();
        for n in 0..30 {
            let ann_asks = json!({"threadId": thread, "name": format!("ann {n}")});
            let bob_asks = json!({"threadId": thread, "name": format!("bob {n}")});
            requests
                .push((ann.send_request("thread/name/set", ann_asks), bob.send_request("thread/name/set", bob_asks)));
        }
        for (anns, bobs) in requests {
            ann.answer_to(anns).expect("ann renames");
            bob.answer_to(bobs).expect("bob renames");
        }
        let holds = ann.call("thread/read", json!({"threadId": thread}))["thread"]["name"].take();
        let told = [&mut ann, &mut bob].map(|client| {
            let told: Vec<_> =
                (0..60).map(|_| client.next_notification("thread/name/updated")["threadName"].take()).collect();
            assert_eq!(told.last(), Some(&holds));
            told
        });
        assert_eq!(told[0], told[1], "both were told in the same order");
    });
}

#[test]
fn the_life_of_a_thread_is_told_to_every_client() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let thread = ann.call("thread/start", json!({}))["thread"].take();
        let of_thread = json!({"threadId": thread["id"]});
        let not_loaded = json!({"threadId": thread["id"], "status": {"type": "notLoaded"}});
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.next_notification("thread/started"), json!({"thread": thread}));
        }
        bob.call("thread/archive", of_thread.clone());
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.next_notification("thread/status/changed"), not_loaded);
            assert_eq!(client.next_notification("thread/archived"), of_thread);
        }
        ann.call("thread/unarchive", of_thread.clone());
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.next_notification("thread/unarchived"), of_thread);
        }
        ann.call("thread/delete", of_thread.clone());
        for client in [&mut ann, &mut bob] {
            assert_eq!(client.next_notification("thread/deleted"), of_thread);
            client.expect_silence();
        }
    });
}

#[test]
fn a_resume_from_disk_is_told_to_every_client() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let of_thread = json!({"threadId": ann.call("thread/start", json!({}))["thread"]["id"]});
        ann.call("thread/archive", of_thread.clone());
        ann.call("thread/unarchive", of_thread.clone());
        bob.call("thread/resume", of_thread.clone());
        for client in [&mut ann, &mut bob] {
            let statuses = [1, 2].map(|_| client.next_notification("thread/status/changed")["status"]["type"].take());
            assert_eq!(statuses, ["notLoaded", "idle"]);
        }
    });
}

#[test]
fn a_connection_that_did_not_shake_hands_is_told_nothing() {
    over_every_shared_wire(|server| {
        let mut stranger = server.connect();
        let mut ann = server.client();
        let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
        ann.call("thread/name/set", json!({"threadId": thread, "name": "secret"}));
        ann.next_notification("thread/name/updated");
        stranger.expect_silence();
    });
}

#[test]
fn who_leaves_a_thread_is_told_whether_it_was_in_it() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let of_thread = json!({"threadId": ann.call("thread/start", json!({}))["thread"]["id"]});
        let status = |answer: serde_json::Value| answer["status"].as_str().expect("a status").to_owned();
        assert_eq!(status(bob.call("thread/unsubscribe", of_thread.clone())), "notSubscribed");
        assert_eq!(status(ann.call("thread/unsubscribe", of_thread.clone())), "unsubscribed");
        assert_eq!(status(ann.call("thread/unsubscribe", of_thread.clone())), "notSubscribed");
        bob.call("thread/resume", of_thread.clone());
        assert_eq!(status(bob.call("thread/unsubscribe", of_thread.clone())), "unsubscribed");
        ann.call("thread/archive", of_thread.clone());
        assert_eq!(status(bob.call("thread/unsubscribe", of_thread)), "notLoaded");
    });
}

#[test]
fn a_thread_outlives_the_client_that_started_it() {
    over_every_shared_transport(|server| {
        let (mut ann, mut bob) = (server.client(), server.client());
        let thread = ann.call("thread/start", json!({}))["thread"]["id"].take();
        bob.next_notification("thread/started");
        ann.close();
        let read = bob.call("thread/read", json!({"threadId": thread}));
        assert_eq!(read["thread"]["status"]["type"], "idle");
        bob.call("thread/name/set", json!({"threadId": thread, "name": "orphan"}));
    });
}
