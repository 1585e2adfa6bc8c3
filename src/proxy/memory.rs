//! What a new server has to hear so that a client can go on with it: the handshake, and which threads the client follows.
//!
//! Ids of a server's questions begin anew with each server. So that an answer that comes late never answers a question of the
//! next server, the client receives those of later servers under ids that no server before has used.

use std::collections::{BTreeSet, HashMap};

use app_server_actors::protocol::{ErrorCode, raw::INITIALIZED};
use bytestring::ByteString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};

/// How the ids of the proxy's own requests begin.
const OWN: &str = "codex-app-server-proxy-";

/// Most threads of one client that are followed again.
const MOST_FOLLOWED: usize = 1024;

/// The state between a client and its servers.
#[derive(Default)]
pub struct Memory {
    /// The params of the client's handshake.
    initialize: Option<Box<RawValue>>,
    is_initialized: bool,
    /// Requests of the client without an answer, by their ids as JSON.
    pending: HashMap<String, Pending>,
    followed: BTreeSet<String>,
    /// Questions of the present server by the ids that the client knows, as JSON.
    questions: HashMap<String, Box<RawValue>>,
    /// How many servers there were before.
    before: u32,
}

/// A request, as far as its answer matters.
enum Pending {
    /// The client follows the thread of the result.
    Follow,
    /// The client does not follow this thread any more.
    Leave(String),
    Other,
}

/// The members of a message that decide what it is.
#[derive(Deserialize, Serialize)]
struct Head<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    error: Option<&'a RawValue>,
}

impl Head<'_> {
    fn method(&self) -> Option<String> {
        self.method.and_then(|method| serde_json::from_str(method.get()).ok())
    }
}

impl Memory {
    /// As [`Exchange::upward`](super::exchange::Exchange::upward).
    pub fn upward(&mut self, text: ByteString) -> Option<ByteString> {
        let Ok(head) = serde_json::from_str::<Head<'_>>(&text) else { return Some(text) };
        match (head.id, head.method()) {
            (Some(id), Some(method)) => {
                if method == "initialize" {
                    self.initialize = head.params.map(ToOwned::to_owned);
                }
                self.pending.insert(id.get().to_owned(), Pending::of(&method, head.params));
            }
            (None, Some(method)) => self.is_initialized |= method == "initialized",
            (Some(id), None) => {
                let id = self.questions.remove(id.get())?;
                return encoded(&Head { id: Some(&id), ..head });
            }
            (None, None) => {}
        }
        Some(text)
    }

    /// As [`Exchange::downward`](super::exchange::Exchange::downward).
    pub fn downward(&mut self, text: ByteString) -> Option<ByteString> {
        let Ok(head) = serde_json::from_str::<Head<'_>>(&text) else { return Some(text) };
        match (head.id, head.method) {
            (Some(id), Some(_)) => {
                let known =
                    if self.before == 0 { id.to_owned() } else { raw(&format!("{OWN}{}-{}", self.before, id.get()))? };
                self.questions.insert(known.get().to_owned(), id.to_owned());
                return encoded(&Head { id: Some(&known), ..head });
            }
            (Some(id), None) => {
                if id.get().starts_with(&format!("\"{OWN}")) {
                    return None;
                }
                match self.pending.remove(id.get()) {
                    Some(Pending::Follow) => {
                        if let Some(thread) =
                            head.result.and_then(thread_of).filter(|_| self.followed.len() < MOST_FOLLOWED)
                        {
                            self.followed.insert(thread);
                        }
                    }
                    Some(Pending::Leave(thread)) if head.result.is_some() => {
                        self.followed.remove(&thread);
                    }
                    Some(Pending::Leave(_) | Pending::Other) | None => {}
                }
            }
            (None, _) => {}
        }
        Some(text)
    }

    /// As [`Exchange::lost`](super::exchange::Exchange::lost).
    pub fn lost(&mut self) -> Vec<String> {
        self.before += 1;
        self.questions.clear();
        let message =
            "the connection to the server was lost before it answered; whether it did what was asked is not known";
        let error = json!({"code": ErrorCode::Internal.number(), "message": message});
        let answer = |(id, _): (String, Pending)| {
            let id: Value = serde_json::from_str(&id).unwrap_or_default();
            json!({"id": id, "error": error}).to_string()
        };
        std::mem::take(&mut self.pending).into_iter().map(answer).collect()
    }

    /// As [`Exchange::repeated`](super::exchange::Exchange::repeated).
    pub fn repeated(&mut self) -> Vec<ByteString> {
        let Some(initialize) = self.initialize.as_ref().filter(|_| self.before > 0) else { return Vec::new() };
        let own = |what: &str| format!("{OWN}{}-{what}", self.before);
        let mut texts =
            vec![json!({"id": own("initialize"), "method": "initialize", "params": initialize}).to_string()];
        if self.is_initialized {
            texts.push(INITIALIZED.to_owned());
        }
        texts.extend(self.followed.iter().map(|thread| {
            let params = json!({"threadId": thread, "excludeTurns": true});
            json!({"id": own(thread), "method": "thread/resume", "params": params}).to_string()
        }));
        texts.into_iter().map(Into::into).collect()
    }
}

impl Pending {
    fn of(method: &str, params: Option<&RawValue>) -> Self {
        match method {
            "thread/start" | "thread/resume" | "thread/fork" => Self::Follow,
            "thread/unsubscribe" | "thread/delete" | "thread/archive" => {
                let params: Option<Value> = params.and_then(|params| serde_json::from_str(params.get()).ok());
                let thread = params.and_then(|params| params["threadId"].as_str().map(str::to_owned));
                thread.map_or(Self::Other, Self::Leave)
            }
            _ => Self::Other,
        }
    }
}

/// The thread of the result of `thread/start` and its like.
fn thread_of(result: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Loaded {
        thread: Thread,
    }
    #[derive(Deserialize)]
    struct Thread {
        id: String,
    }
    serde_json::from_str::<Loaded>(result.get()).ok().map(|loaded| loaded.thread.id)
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    serde_json::value::to_raw_value(text).ok()
}

fn encoded(head: &Head<'_>) -> Option<ByteString> {
    serde_json::to_string(head).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: Option<ByteString>) -> Value {
        serde_json::from_str(&text.expect("it is passed on")).unwrap()
    }

    /// A client that has shaken hands and follows the thread `t`.
    fn used() -> Memory {
        let mut memory = Memory::default();
        memory.upward(r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"c"}}}"#.into());
        memory.downward(r#"{"id":0,"result":{}}"#.into());
        memory.upward(r#"{"method":"initialized"}"#.into());
        memory.upward(r#"{"id":1,"method":"thread/start","params":{}}"#.into());
        memory.downward(r#"{"id":1,"result":{"thread":{"id":"t"}}}"#.into());
        memory
    }

    #[test]
    fn a_new_server_hears_the_handshake_and_the_threads() {
        let mut memory = used();
        assert!(memory.repeated().is_empty(), "the first one hears it from the client");
        memory.lost();
        let repeated: Vec<Value> = memory.repeated().iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        assert_eq!(repeated[0]["params"]["clientInfo"]["name"], "c");
        assert_eq!(repeated[1]["method"], "initialized");
        assert_eq!(repeated[2]["params"], json!({"threadId": "t", "excludeTurns": true}));
        let answer = json!({"id": repeated[2]["id"], "result": {}}).to_string();
        assert_eq!(memory.downward(answer.into()), None, "the client has not asked");

        memory.upward(r#"{"id":2,"method":"thread/unsubscribe","params":{"threadId":"t"}}"#.into());
        memory.downward(r#"{"id":2,"result":{}}"#.into());
        memory.lost();
        assert_eq!(memory.repeated().len(), 2, "it does not follow the thread any more");
    }

    #[test]
    fn what_was_not_answered_is_answered_with_an_error() {
        let mut memory = used();
        memory.upward(r#"{"id":"x","method":"turn/start","params":{}}"#.into());
        let lost = memory.lost();
        assert_eq!(lost.len(), 1);
        let answer: Value = serde_json::from_str(&lost[0]).unwrap();
        assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!("x"), &json!(-32603)));
        assert!(memory.lost().is_empty(), "once");
    }

    #[test]
    fn an_answer_that_comes_late_answers_no_question_of_the_next_server() {
        let mut memory = used();
        let question = r#"{"id":0,"method":"item/commandExecution/requestApproval","params":{"threadId":"t"}}"#;
        assert_eq!(value(memory.downward(question.into()))["id"], 0);
        memory.lost();
        let known = value(memory.downward(question.into()))["id"].take();
        assert_ne!(known, json!(0));
        assert_eq!(memory.upward(r#"{"id":0,"result":{"decision":"accept"}}"#.into()), None, "it meant the first one");
        let answer = json!({"id": known, "result": {"decision": "decline"}}).to_string();
        let answer = value(memory.upward(answer.into()));
        assert_eq!(answer, json!({"id": 0, "result": {"decision": "decline"}}));
    }
}
