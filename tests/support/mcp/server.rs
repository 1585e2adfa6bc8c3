//! What a server of a test says, whichever way it is reached.

use std::env;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// The state of a server.
pub struct Talk {
    mode: String,
    /// The call that waits for the answer to a question.
    asking: Option<Value>,
    /// A tool has appeared.
    grown: bool,
}

impl Talk {
    /// It behaves like this.
    pub fn new(mode: &str) -> Self {
        Self { mode: mode.to_owned(), asking: None, grown: false }
    }

    /// What it says when it hears `message`.
    pub fn hear(&mut self, message: &Value) -> Vec<Value> {
        let id = &message["id"];
        match message["method"].as_str() {
            Some("initialize") => vec![answer(
                id,
                json!({
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {"listChanged": true}, "resources": {}},
                    "serverInfo": {"name": "of-a-test", "version": "1"}
                }),
            )],
            Some("tools/list") => vec![answer(id, json!({"tools": self.tools()}))],
            Some("tools/call") => self.call(id, &message["params"]),
            Some("resources/list") => vec![answer(id, json!({"resources": [{"uri": "test:a", "name": "a"}]}))],
            Some("resources/templates/list") => vec![answer(id, json!({"resourceTemplates": []}))],
            Some("resources/read") => {
                let uri = &message["params"]["uri"];
                vec![answer(id, json!({"contents": [{"uri": uri, "text": "of a test"}]}))]
            }
            Some("ping") => vec![answer(id, json!({}))],
            Some(_) if id.is_null() => Vec::new(),
            Some(_) => vec![json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "unknown"}})],
            None => {
                let call = self.asking.take().unwrap_or_default();
                vec![text(&call, &format!("the person said {}", message["result"]))]
            }
        }
    }

    fn tools(&self) -> Vec<Value> {
        let tool = |name: &str, hints: Value| {
            json!({"name": name, "title": "T", "description": format!("Does {name}"), "annotations": hints,
                "inputSchema": {"type": "object"}})
        };
        if self.mode == "many" {
            return (0..3000).map(|number| tool(&format!("tool{number:04}"), json!({}))).collect();
        }
        let reads = ["echo", "structured", "picture", "fails", "refuses", "slow", "dies", "asks", "tells", "grows"];
        let reads = reads.into_iter().chain(["environment", "long", "floods"]);
        let grown = self.grown.then_some("grown");
        reads
            .chain(grown)
            .map(|name| tool(name, json!({"readOnlyHint": true})))
            .chain([tool("writes", json!({})), tool("delete.all", json!({"destructiveHint": true}))])
            .collect()
    }

    fn call(&mut self, id: &Value, params: &Value) -> Vec<Value> {
        let arguments = &params["arguments"];
        match params["name"].as_str().unwrap_or_default() {
            "structured" => {
                let block = json!({"type": "text", "text": "x is 1"});
                vec![answer(id, json!({"content": [block], "structuredContent": {"x": 1}, "_meta": {"k": "v"}}))]
            }
            "picture" => {
                let blocks = json!([{"type": "text", "text": "see"}, {"type": "image", "data": "AAAA", "mimeType": "image/png"}]);
                vec![answer(id, json!({"content": blocks}))]
            }
            "fails" => {
                let blocks = json!([{"type": "text", "text": "it failed"}]);
                vec![answer(id, json!({"content": blocks, "isError": true}))]
            }
            "refuses" => vec![json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32000, "message": "boom"}})],
            "slow" => {
                thread::sleep(Duration::from_secs(3600));
                Vec::new()
            }
            "dies" => {
                eprintln!("out of luck");
                std::process::exit(7);
            }
            "asks" => {
                self.asking = Some(id.clone());
                let schema = json!({"type": "object", "title": "A title", "required": ["name"],
                    "properties": {"name": {"type": "string", "title": "Name"}}});
                let params = json!({"mode": "form", "message": "Who?", "requestedSchema": schema});
                vec![json!({"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": params})]
            }
            "tells" => {
                let token = &params["_meta"]["progressToken"];
                let told = |message: &str| {
                    json!({"jsonrpc": "2.0", "method": "notifications/progress",
                        "params": {"progressToken": token, "progress": 1, "message": message}})
                };
                vec![told("half"), text(id, "done")]
            }
            "grows" => {
                self.grown = true;
                let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
                vec![changed, text(id, "grown")]
            }
            "environment" => {
                let mut names: Vec<String> = env::vars().map(|(name, value)| format!("{name}={value}")).collect();
                names.push(format!("CWD={}", env::current_dir().expect("a folder").display()));
                vec![text(id, &names.join("\n"))]
            }
            "long" => vec![text(id, &"x".repeat(3 << 20))],
            "floods" => {
                let noise = json!({"jsonrpc": "2.0", "method": "notifications/message",
                    "params": {"level": "info", "data": "x".repeat(1000)}});
                let mut all = vec![noise; 20_000];
                all.push(text(id, "flooded"));
                all
            }
            name => vec![text(id, &format!("{name} with {arguments}"))],
        }
    }
}

fn answer(id: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": result})
}

fn text(id: &Value, text: &str) -> Value {
    answer(id, json!({"content": [{"type": "text", "text": text}]}))
}
