//! Whatever goes wrong between host and backend, the host reconnects and no request is lost (spec: remote control 4, 5,
//! 10 and 11).

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::controller::Controller;
use crate::support::backend::faults::{Endpoint, Fault};
use crate::support::client::outcome;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::remote;
use crate::support::server::Server;

/// Asks for another token soon after a failure.
fn restless(backend: &Backend, home: &Home) -> Launch {
    remote::launch(backend, home)
        .setting("remote_control.refresh_rest_least_milliseconds", 10)
        .setting("remote_control.refresh_rest_most_milliseconds", 20)
}

/// The same, and a request that hangs is given up within a test.
fn impatient(backend: &Backend, home: &Home) -> Launch {
    restless(backend, home).setting("remote_control.request_milliseconds", 1_000)
}

fn faults() -> Vec<Fault> {
    let mut faults: Vec<Fault> = [400, 401, 403, 404, 409, 410, 429, 500, 503].map(Fault::status).into();
    faults.extend([Fault::retry_after(429, 0), Fault::retry_after(503, 1)]);
    faults.extend([Fault::Hang, Fault::Garbage, Fault::Half, Fault::Close]);
    faults
}

#[test]
fn every_fault_of_an_enrollment_is_survived() {
    let backend = Backend::start();
    for fault in faults() {
        eprintln!("{fault:?}");
        backend.fail(Endpoint::Enroll, fault);
        let before = backend.connections();
        let _server = Server::unix(impatient(&backend, &backend.home()));
        backend.wait_for_host(before + 1);
    }
}

#[test]
fn every_fault_of_an_upgrade_is_survived() {
    let backend = Backend::start();
    let _server = Server::unix(restless(&backend, &backend.home()));
    backend.wait_for_host(1);
    let mut phone = backend.controller();
    phone.initialize();
    // A hanging upgrade is given up after a time that is counted in seconds.
    for fault in faults().into_iter().filter(|fault| !matches!(fault, Fault::Hang)) {
        eprintln!("{fault:?}");
        let before = backend.connections();
        backend.fail(Endpoint::Socket, fault);
        backend.cut();
        phone.call("thread/loaded/list", json!({}));
        assert_eq!(backend.connections(), before + 1);
    }
    assert_eq!(backend.requests(Endpoint::Enroll).len(), 1, "none of them means that the server is not enrolled");
}

#[test]
fn every_fault_of_a_refresh_is_survived() {
    let backend = Backend::start();
    let home = backend.home();
    for fault in faults() {
        eprintln!("{fault:?}");
        let before = backend.connections();
        let mut server = Server::unix(impatient(&backend, &home));
        backend.wait_for_host(before + 1);
        server.process.kill();
        backend.fail(Endpoint::Refresh, fault);
        let _server = Server::unix(impatient(&backend, &home));
        backend.wait_for_host(before + 2);
    }
}

#[test]
fn a_server_that_the_backend_does_not_know_any_more_enrolls_anew() {
    let (server, backend) = remote::shared();
    let mut client = server.client();
    backend.service(|service| service.forget_enrollment());
    backend.cut();
    backend.wait_for_host(2);
    assert_eq!(client.call("remoteControl/status/read", json!(null))["environmentId"], "env_2");
    // The same found out by a refresh.
    backend.service(|service| service.forget_enrollment());
    backend.fail(Endpoint::Socket, Fault::status(401));
    backend.cut();
    backend.wait_for_host(3);
    assert_eq!(client.call("remoteControl/status/read", json!(null))["environmentId"], "env_3");
}

#[test]
fn an_enrollment_survives_the_process() {
    let backend = Backend::start();
    let home = backend.home();
    for run in 1..=3 {
        let mut server = Server::unix(remote::launch(&backend, &home));
        backend.wait_for_host(run);
        server.process.kill();
    }
    assert_eq!(backend.requests(Endpoint::Enroll).len(), 1);
    assert_eq!(backend.requests(Endpoint::Refresh).len(), 2, "the token is in nobody's memory any more");
    for request in backend.requests(Endpoint::Refresh) {
        assert_eq!(request.json()["server_id"], "srv_1");
    }
}

#[test]
fn a_process_that_is_killed_while_it_enrolls_leaves_nothing_half_done() {
    let backend = Backend::start();
    let home = backend.home();
    for killed in 1..=3 {
        backend.fail(Endpoint::Enroll, Fault::Hang);
        let mut server = Server::unix(remote::launch(&backend, &home));
        backend.wait_for_requests(Endpoint::Enroll, killed);
        server.process.kill();
    }
    let server = Server::unix(remote::launch(&backend, &home));
    backend.wait_for_host(1);
    assert_eq!(backend.requests(Endpoint::Refresh).len(), 0, "there was no enrollment to refresh");
    assert_eq!(server.client().call("remoteControl/status/read", json!(null))["environmentId"], "env_1");
}

#[test]
fn a_process_that_is_killed_while_it_pairs_keeps_its_enrollment() {
    let backend = Backend::start();
    let home = backend.home();
    let mut server = Server::unix(remote::launch(&backend, &home));
    backend.wait_for_host(1);
    backend.fail(Endpoint::Pair, Fault::Hang);
    server.client().send_request("remoteControl/pairing/start", json!({}));
    backend.wait_for_requests(Endpoint::Pair, 1);
    server.process.kill();
    let server = Server::unix(remote::launch(&backend, &home));
    backend.wait_for_host(2);
    assert_eq!(backend.requests(Endpoint::Enroll).len(), 1);
    server.client().call("remoteControl/pairing/start", json!({}));
}

#[test]
fn a_link_that_has_gone_silent_is_given_up() {
    let (_server, backend) =
        remote::shared_with(&[("remote_link.ping_seconds", "1"), ("remote_link.pong_seconds", "2")]);
    let mut phone = backend.controller();
    phone.initialize();
    backend.mute();
    // It is swallowed, and sent again to the next socket.
    phone.call("thread/loaded/list", json!({}));
    assert!(backend.connections() >= 2);
}

/// What can happen to the link.
#[derive(Clone, Debug)]
enum Blow {
    /// A controller asks so many things.
    Ask(usize, usize),
    /// Waits for so many answers.
    Wait(usize),
    Cut,
    Close,
    Garbage,
    HalfFrame,
    /// Cut, and the next upgrade is refused so.
    Refuse(u16),
    /// Cut, and enrolled anew.
    Forget,
}

fn blows() -> impl Strategy<Value = Vec<Blow>> {
    let blow = prop_oneof![
        6 => (0..PHONES, 1_usize..20).prop_map(|(phone, count)| Blow::Ask(phone, count)),
        3 => (1_usize..20).prop_map(Blow::Wait),
        2 => Just(Blow::Cut),
        1 => Just(Blow::Close),
        1 => Just(Blow::Garbage),
        1 => Just(Blow::HalfFrame),
        1 => prop::sample::select(vec![401_u16, 404, 409, 429, 500]).prop_map(Blow::Refuse),
        1 => Just(Blow::Forget),
    ];
    prop::collection::vec(blow, 1..40)
}

const PHONES: usize = 3;

/// What a controller has asked about a thread and not been answered. Such answers come in the order of the questions.
struct Asking {
    phone: Controller,
    thread: Value,
    open: VecDeque<i64>,
}

impl Asking {
    fn ask(&mut self, count: usize) {
        for _ in 0..count {
            self.open.push_back(self.phone.send_request("thread/read", json!({"threadId": self.thread})));
        }
    }

    /// The next answer must be that to the oldest question.
    fn hear(&mut self) {
        if let Some(id) = self.open.pop_front() {
            let answer = self.phone.next_answer();
            assert_eq!(answer["id"], id, "answered out of order, twice, or not at all");
            outcome(answer).expect("it was not refused");
        }
    }
}

fn strike(backend: &Backend, blow: Blow, phones: &mut [Asking]) {
    match blow {
        Blow::Ask(phone, count) => phones[phone].ask(count),
        Blow::Wait(count) => (0..count).for_each(|_| phones.iter_mut().for_each(Asking::hear)),
        Blow::Cut => backend.cut(),
        Blow::Close => backend.close(),
        Blow::Garbage => backend.send_bytes(&[0xff; 20]),
        Blow::HalfFrame => {
            backend.send_bytes(&[0x81, 100, b'{']);
            backend.cut();
        }
        Blow::Refuse(status) => {
            backend.fail(Endpoint::Socket, Fault::status(status));
            backend.cut();
        }
        Blow::Forget => {
            backend.service(|service| service.forget_enrollment());
            backend.cut();
        }
    }
}

#[test]
fn whatever_is_cut_when_every_request_is_answered_once_and_in_order() {
    let (server, backend) = remote::shared();
    let config = Config { cases: 30, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let result = TestRunner::new(config).run(&blows(), |blows| {
        let thread = server.client().call("thread/start", json!({}))["thread"]["id"].take();
        let begin = |_| {
            let mut phone = backend.controller();
            phone.initialize();
            Asking { phone, thread: thread.clone(), open: VecDeque::new() }
        };
        let mut phones: Vec<Asking> = (0..PHONES).map(begin).collect();
        for blow in blows {
            strike(&backend, blow, &mut phones);
        }
        for asking in &mut phones {
            while !asking.open.is_empty() {
                asking.hear();
            }
            asking.phone.expect_silence();
            asking.phone.close();
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}
