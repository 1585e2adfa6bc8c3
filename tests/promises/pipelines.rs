//! Requests that a client sends without waiting are answered as if it had waited for each answer.

use std::cell::RefCell;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::in_process::InProcess;
use crate::support::transports::{Serving, over_every_transport};

/// Threads that a pipeline is about.
const THREADS: usize = 3;

/// Something to ask about the thread with this index.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Resume,
    ResumeWithoutTurns,
    Unsubscribe,
    Read,
    ReadInFull,
    Turns,
    Name(u8),
    Branch(u8),
    Archive,
    Unarchive,
    Delete,
    Fork,
    Steer,
    Interrupt,
    Loaded,
    List,
    Archived,
    Search,
}

impl Asked {
    const ALL: [Self; 18] = [
        Self::Resume,
        Self::ResumeWithoutTurns,
        Self::Unsubscribe,
        Self::Read,
        Self::ReadInFull,
        Self::Turns,
        Self::Name(1),
        Self::Branch(2),
        Self::Archive,
        Self::Unarchive,
        Self::Delete,
        Self::Fork,
        Self::Steer,
        Self::Interrupt,
        Self::Loaded,
        Self::List,
        Self::Archived,
        Self::Search,
    ];

    fn request(self, thread: &str) -> (&'static str, Value) {
        match self {
            Self::Resume => ("thread/resume", json!({"threadId": thread})),
            Self::ResumeWithoutTurns => ("thread/resume", json!({"threadId": thread, "excludeTurns": true})),
            Self::Unsubscribe => ("thread/unsubscribe", json!({"threadId": thread})),
            Self::Read => ("thread/read", json!({"threadId": thread})),
            Self::ReadInFull => ("thread/read", json!({"threadId": thread, "includeTurns": true})),
            Self::Turns => ("thread/turns/list", json!({"threadId": thread})),
            Self::Name(n) => ("thread/name/set", json!({"threadId": thread, "name": format!("name {n}")})),
            Self::Branch(n) => {
                ("thread/metadata/update", json!({"threadId": thread, "gitInfo": {"branch": format!("branch {n}")}}))
            }
            Self::Archive => ("thread/archive", json!({"threadId": thread})),
            Self::Unarchive => ("thread/unarchive", json!({"threadId": thread})),
            Self::Delete => ("thread/delete", json!({"threadId": thread})),
            Self::Fork => ("thread/fork", json!({"threadId": thread})),
            Self::Steer => ("turn/steer", json!({"threadId": thread, "expectedTurnId": "none", "input": []})),
            Self::Interrupt => ("turn/interrupt", json!({"threadId": thread, "turnId": "none"})),
            Self::Loaded => ("thread/loaded/list", json!({})),
            Self::List => ("thread/list", json!({"limit": 8})),
            Self::Archived => ("thread/list", json!({"limit": 8, "archived": true})),
            Self::Search => ("thread/search", json!({"limit": 8, "searchTerm": "name"})),
        }
    }
}

/// A server and its only client, and the threads that were seen, which have other ids in another server.
struct Side {
    _server: InProcess,
    client: Client,
    seen: Vec<String>,
}

impl Side {
    fn new() -> Self {
        let server = InProcess::start(&[]);
        let client = server.client();
        Self { _server: server, client, seen: Vec::new() }
    }

    /// Threads that are loaded, and have a name and a subscriber.
    fn threads(&mut self) -> Vec<String> {
        let threads = (0..THREADS).map(|n| {
            let thread = self.client.call("thread/start", json!({}))["thread"]["id"].take();
            self.client.call("thread/name/set", json!({"threadId": thread, "name": format!("name of {n}")}));
            thread.as_str().expect("an id").to_owned()
        });
        threads.collect()
    }

    /// `answer` without what differs from server to server and from moment to moment.
    fn comparable(&mut self, answer: &Value) -> Value {
        match answer {
            Value::Object(members) => {
                let comparable = members.iter().map(|(name, value)| {
                    let differs = name.ends_with("At") || name.ends_with("Cursor");
                    let value = if differs { json!(value.is_null()) } else { self.comparable(value) };
                    (name.clone(), value)
                });
                Value::Object(comparable.collect())
            }
            Value::Array(values) => values.iter().map(|value| self.comparable(value)).collect(),
            Value::String(text) => Value::from(self.without_ids(text)),
            other => other.clone(),
        }
    }

    /// `text` with the numbers of threads in the order in which they were seen, instead of their ids.
    fn without_ids(&mut self, text: &str) -> String {
        const ID: usize = 36;
        let is_id = |word: &&str| word.len() == ID && word.bytes().filter(|byte| *byte == b'-').count() == 4;
        let ids: Vec<String> =
            text.split(|c: char| !c.is_ascii_hexdigit() && c != '-').filter(is_id).map(str::to_owned).collect();
        ids.into_iter().fold(text.to_owned(), |text, id| {
            let number = self.seen.iter().position(|seen| *seen == id).unwrap_or_else(|| {
                self.seen.push(id.clone());
                self.seen.len() - 1
            });
            text.replace(&id, &format!("thread {number}"))
        })
    }

    /// The answers to `asked` about threads of this case, in the order of the requests.
    fn answers(&mut self, asked: &[(Asked, usize)], pipelined: bool) -> Vec<Value> {
        let threads = self.threads();
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for (asked, thread) in asked {
            let (method, params) = asked.request(&threads[*thread]);
            let id = self.client.send_request(method, params);
            if pipelined {
                waiting.push(id);
            } else {
                answers.push(self.client.answer_to(id));
            }
        }
        answers.extend(waiting.into_iter().map(|id| self.client.answer_to(id)).collect::<Vec<_>>());
        let answers = answers.into_iter().map(|answer| match answer {
            Ok(result) => result,
            Err(error) => json!({"code": error.code, "message": error.message}),
        });
        answers.collect::<Vec<_>>().iter().map(|answer| self.comparable(answer)).collect()
    }
}

#[test]
fn random_pipelines_are_answered_as_if_sent_one_after_the_other() {
    let (waits, pipelines) = (RefCell::new(Side::new()), RefCell::new(Side::new()));
    let asked = (prop::sample::select(&Asked::ALL[..]), 0..THREADS);
    let pipeline = prop::collection::vec(asked, 2..16);
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&pipeline, |asked| {
        let expected = waits.borrow_mut().answers(&asked, false);
        let answers = pipelines.borrow_mut().answers(&asked, true);
        for ((asked, answer), expected) in asked.iter().zip(answers).zip(expected) {
            prop_assert_eq!(answer, expected, "{:?}", asked);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn who_unsubscribes_right_behind_a_resume_is_unsubscribed() {
    over_every_transport(|server| {
        let mut client = server.client();
        let thread = stored_thread(&mut client);
        let resumed = client.send_request("thread/resume", json!({"threadId": thread}));
        let left = client.send_request("thread/unsubscribe", json!({"threadId": thread}));
        let again = client.send_request("thread/unsubscribe", json!({"threadId": thread}));
        client.answer_to(resumed).expect("it is resumed");
        assert_eq!(client.answer_to(left).expect("an answer")["status"], "unsubscribed");
        assert_eq!(client.answer_to(again).expect("an answer")["status"], "notSubscribed");
    });
}

#[test]
fn a_turn_right_behind_a_resume_finds_the_thread_and_is_answered_after_it() {
    over_every_transport(|server| {
        let mut client = server.client();
        let thread = stored_thread(&mut client);
        let resumed = client.send_request("thread/resume", json!({"threadId": thread}));
        let interrupt = client.send_request("turn/interrupt", json!({"threadId": thread, "turnId": "none"}));
        assert_eq!(client.next_answer()["id"], resumed);
        let answer = client.next_answer();
        assert_eq!(
            (&answer["id"], &answer["error"]["message"]),
            (&json!(interrupt), &json!("no active turn to interrupt"))
        );
    });
}

/// A thread that is on disk and not loaded.
fn stored_thread(client: &mut Client) -> Value {
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/name/set", json!({"threadId": thread, "name": "stored"}));
    client.call("thread/archive", json!({"threadId": thread}));
    client.call("thread/unarchive", json!({"threadId": thread}));
    thread
}
