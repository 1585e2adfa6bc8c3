//! A blocking JSON-RPC client over any wire.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use serde_json::{Value, json};

use super::PATIENCE;
use super::conformance::{self, Asked};
use super::wire::{Received, Wire};

/// The `error` member of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    pub data: Option<Value>,
}

/// One connection.
pub struct Client {
    wire: Box<dyn Wire>,
    next_id: i64,
    /// Requests without an answer: id and method.
    pending: HashMap<i64, Asked>,
    /// Answers that came while another one was awaited.
    answers: VecDeque<Value>,
    /// Notifications that nobody has asked for yet, in the order in which they came.
    notifications: VecDeque<Value>,
}

impl Client {
    /// A connection on which nothing was said yet.
    pub fn new(wire: Box<dyn Wire>) -> Self {
        Self { wire, next_id: 1, pending: HashMap::new(), answers: VecDeque::new(), notifications: VecDeque::new() }
    }

    /// Shakes hands with the experimental API on.
    pub fn initialize(&mut self) -> Value {
        self.initialize_with(json!({"experimentalApi": true}))
    }

    /// Shakes hands with these capabilities.
    pub fn initialize_with(&mut self, capabilities: Value) -> Value {
        let client = json!({"name": "promises", "title": null, "version": "1.0"});
        let result = self.call("initialize", json!({"clientInfo": client, "capabilities": capabilities}));
        self.notify("initialized");
        result
    }

    /// Sends a request and waits for its answer.
    pub fn request(&mut self, method: &str, params: Value) -> Result<Value, RpcError> {
        let id = self.send_request(method, params);
        self.answer_to(id)
    }

    /// A request that must succeed: its result.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.request(method, params).unwrap_or_else(|e| panic!("{method} {shown} was refused: {e:?}"))
    }

    /// A request that must fail: its error.
    pub fn refusal(&mut self, method: &str, params: Value) -> RpcError {
        let shown = params.to_string();
        match self.request(method, params) {
            Ok(result) => panic!("{method} {shown} was not refused: {result}"),
            Err(error) => error,
        }
    }

    /// Sends a request without waiting: its id.
    pub fn send_request(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send_raw(&json!({"id": id, "method": method, "params": params}).to_string());
        self.pending.insert(id, Asked { method: method.to_owned(), params });
        id
    }

    /// Sends a notification without params.
    pub fn notify(&mut self, method: &str) {
        self.send_raw(&json!({"method": method}).to_string());
    }

    /// Sends any text as one message.
    pub fn send_raw(&mut self, text: &str) {
        self.wire.send(text);
    }

    /// Waits for the answer to the request with this id.
    pub fn answer_to(&mut self, id: i64) -> Result<Value, RpcError> {
        if let Some(at) = self.answers.iter().position(|answer| answer["id"] == id) {
            return outcome(self.answers.remove(at).expect("it is there"));
        }
        let (mut others, deadline) = (VecDeque::new(), Instant::now() + PATIENCE);
        let found = loop {
            let answer = self.read_answer(deadline);
            if answer["id"] == id {
                break answer;
            }
            others.push_back(answer);
        };
        self.answers.append(&mut others);
        outcome(found)
    }

    /// Waits for the next answer, whatever it answers: the whole message.
    pub fn next_answer(&mut self) -> Value {
        match self.answers.pop_front() {
            Some(answer) => answer,
            None => self.read_answer(Instant::now() + PATIENCE),
        }
    }

    fn read_answer(&mut self, deadline: Instant) -> Value {
        loop {
            let message = self.read("an answer", deadline);
            match message.get("method") {
                None => return message,
                Some(_) => self.notifications.push_back(message),
            }
        }
    }

    /// Sends any text and waits for the next answer: the whole message.
    pub fn exchange(&mut self, text: &str) -> Value {
        self.send_raw(text);
        self.next_answer()
    }

    /// Waits for the next notification of this method, leaving others for later: its params.
    pub fn next_notification(&mut self, method: &str) -> Value {
        self.next_notification_message(method)["params"].take()
    }

    /// The same: the whole message.
    pub fn next_notification_message(&mut self, method: &str) -> Value {
        if let Some(at) = self.notifications.iter().position(|message| message["method"] == method) {
            return self.notifications.remove(at).expect("it is there");
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.read(method, deadline);
            match message.get("method") {
                Some(name) if name == method => return message,
                Some(_) => self.notifications.push_back(message),
                None => self.answers.push_back(message),
            }
        }
    }

    /// Waits for the next notification or request of the server, whatever it is: the whole message.
    pub fn next_told(&mut self, what: &str) -> Value {
        if let Some(message) = self.notifications.pop_front() {
            return message;
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let message = self.read(what, deadline);
            match message.get("method") {
                Some(_) => return message,
                None => self.answers.push_back(message),
            }
        }
    }

    /// The next notification or request that has come already and that nobody has asked for.
    pub fn take_told(&mut self) -> Option<Value> {
        self.notifications.pop_front()
    }

    /// Asserts that nothing was sent to this client that it has not asked for yet. A request is the fence: what the
    /// server had sent before is here when its answer is. What every client is told after the handshake does not count.
    pub fn expect_silence(&mut self) {
        let id = self.send_request("thread/loaded/list", json!({}));
        // Refused or not, the answer is the fence.
        let _ = self.answer_to(id);
        self.notifications.retain(|message| {
            message["method"] != "configWarning" && message["method"] != "remoteControl/status/changed"
        });
        assert!(self.notifications.is_empty(), "expected silence, got {:?}", self.notifications);
        assert!(self.answers.is_empty(), "expected silence, got {:?}", self.answers);
    }

    /// Waits until the server has ended the connection: the WebSocket close code, if it gave one.
    pub fn closed(&mut self) -> Option<u16> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.wire.receive(deadline) {
                Received::Closed(code) => return code,
                Received::Message(_) => {}
                Received::Nothing => panic!("the server keeps the connection open"),
            }
        }
    }

    /// Says that nothing more will be sent.
    pub fn close(&mut self) {
        self.wire.close();
    }

    /// Waits for the next message, as text.
    pub fn next_text(&mut self, what: &str) -> String {
        self.text_before(Instant::now() + PATIENCE, what)
    }

    fn text_before(&mut self, deadline: Instant, what: &str) -> String {
        match self.wire.receive(deadline) {
            Received::Message(text) => text,
            Received::Closed(code) => panic!("waited for {what}, but the server closed the connection ({code:?})"),
            Received::Nothing => panic!("waited {PATIENCE:?} for {what} in vain"),
        }
    }

    fn read(&mut self, what: &str, deadline: Instant) -> Value {
        let text = self.text_before(deadline, what);
        let message: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("not JSON ({e}): {text}"));
        let asked = message["id"].as_i64().and_then(|id| self.pending.remove(&id));
        conformance::check(&message, asked.as_ref());
        message
    }
}

/// What an answer says.
pub fn outcome(mut answer: Value) -> Result<Value, RpcError> {
    match answer.get_mut("error") {
        None => Ok(answer["result"].take()),
        Some(error) => Err(RpcError {
            code: error["code"].as_i64().expect("an error has a code"),
            message: error["message"].as_str().expect("an error has a message").to_owned(),
            data: error.get("data").cloned(),
        }),
    }
}
