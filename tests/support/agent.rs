//! An agent at work: a model on loopback that calls the tools which a test wants called, and a folder of its own.

#![allow(dead_code, reason = "not every part of it is used by each binary that includes it")]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::client::Client;
use super::home::Home;
use super::model::{Model, Reply, Wire};
use super::process::Launch;
use super::server::Server;

/// Asks for the approval of a command.
pub const COMMAND_APPROVAL: &str = "item/commandExecution/requestApproval";

/// Asks for the approval of a patch.
pub const PATCH_APPROVAL: &str = "item/fileChange/requestApproval";

/// The agent.
pub struct Agent {
    /// What it thinks with.
    pub model: Model,
    /// Where it works.
    pub work: Home,
}

impl Agent {
    /// Its model says this.
    pub fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let model = Model::start();
        model.script(replies);
        Self { model, work: Home::new() }
    }

    /// Makes its model the one of all threads of this `CODEX_HOME`.
    pub fn move_in(&self, codex_home: &Path) {
        let path = codex_home.join("config.toml");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + &self.model.config(Wire::Responses)).expect("config.toml is written");
    }

    /// A server whose threads use its model.
    pub fn server(&self) -> Server {
        Server::unix(self.launch())
    }

    /// The same, to be started.
    pub fn launch(&self) -> Launch {
        Launch::at(&self.model.home(Wire::Responses))
    }

    /// A thread in its folder: the id.
    pub fn thread(&self, client: &mut Client, mut params: Value) -> String {
        params["cwd"] = json!(self.work.path());
        client.call("thread/start", params)["thread"]["id"].as_str().expect("an id").to_owned()
    }

    /// A thread whose commands nothing holds, and which asks nobody: the id.
    pub fn free_thread(&self, client: &mut Client) -> String {
        self.thread(client, json!({"approvalPolicy": "never", "sandbox": "danger-full-access"}))
    }

    /// What the tools told the model before its question `number`, counted from 0.
    pub fn outputs(&self, number: usize) -> Vec<String> {
        self.model.wait_for_requests(number + 1)[number].outputs()
    }
}

/// Says something in a new turn: the id of the turn.
pub fn say(client: &mut Client, thread: &str) -> String {
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": "go"}]});
    client.call("turn/start", params)["turn"]["id"].as_str().expect("an id").to_owned()
}

/// Everything that this client is told until the end of a turn, which comes last.
pub fn told(client: &mut Client) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        told.push(client.next_told("the end of a turn"));
        if told.last().is_some_and(|message| message["method"] == "turn/completed") {
            return told;
        }
    }
}

/// Waits for the end of a turn: its status.
pub fn ended(client: &mut Client) -> String {
    let turn = client.next_notification("turn/completed")["turn"].take();
    turn["status"].as_str().expect("a status").to_owned()
}

/// The completed items of a type, in the order in which they completed.
pub fn completed(told: &[Value], kind: &str) -> Vec<Value> {
    let items = told.iter().filter(|message| message["method"] == "item/completed");
    items.map(|message| message["params"]["item"].clone()).filter(|item| item["type"] == kind).collect()
}

/// The methods of what was told, as far as it is about items, approvals and the turn.
pub fn methods(told: &[Value]) -> Vec<&str> {
    let names = told.iter().filter_map(|message| message["method"].as_str());
    names.filter(|name| ["item/", "turn/", "serverRequest/"].iter().any(|start| name.starts_with(start))).collect()
}

/// Answers a request of the server.
pub fn decide(client: &mut Client, request: &Value, decision: Value) {
    client.send_raw(&json!({"id": request["id"], "result": {"decision": decision}}).to_string());
}
