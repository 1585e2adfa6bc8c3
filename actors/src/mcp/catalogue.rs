//! What a server offers, as it said when it started: its tools, and who it is.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;

use rmcp::model::{ServerPeerInfo, Tool};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::config::ServerConfig;
use super::limits::McpLimits;
use crate::approval::mcp::ToolHints;
use crate::protocol::model::ToolSpec;

/// Characters of a name that every provider takes.
const NAME: usize = 64;

/// Characters of the digest that makes a name unique.
const DIGEST: usize = 8;

/// What a server offers.
#[derive(Debug)]
pub struct Catalogue {
    /// What it said of itself when it started.
    pub info: Option<Arc<ServerPeerInfo>>,
    /// All of its tools, for clients.
    pub all: Vec<Tool>,
    /// Those that the model may call.
    pub offered: Vec<Arc<Offered>>,
    /// Why some tools are not offered to the model, if bounds are the reason.
    pub shortened: Option<String>,
}

/// A tool that is offered to the model.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The key of its server in the configuration.
    pub server: Arc<str>,
    /// Its own name.
    pub tool: String,
    /// For people.
    pub title: Option<String>,
    /// What it says of itself.
    pub hints: ToolHints,
    /// What the model is told; the name there is the one by which the model calls it.
    pub spec: ToolSpec,
}

impl Catalogue {
    /// Of what a server lists, what its configuration and the bounds let the model see, in the order of the names.
    pub fn new(
        server: &Arc<str>,
        config: &ServerConfig,
        limits: &McpLimits,
        info: Option<Arc<ServerPeerInfo>>,
        mut all: Vec<Tool>,
    ) -> Self {
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.dedup_by(|a, b| a.name == b.name);
        let mut listed_bytes = 0;
        all.retain(|tool| {
            listed_bytes += serde_json::to_vec(tool).map_or(0, |json| json.len());
            listed_bytes <= limits.listed_bytes
        });
        let (mut offered, mut names, mut bytes) = (Vec::new(), HashSet::new(), 0);
        let (mut too_many, mut too_long) = (0, 0);
        for tool in all.iter().filter(|tool| config.offers(&tool.name)) {
            let one = Offered::new(server, tool, &mut names);
            let own_bytes = one.spec.name.len() + one.spec.description.len() + one.spec.parameters.get().len();
            if own_bytes > limits.tool_bytes {
                too_long += 1;
            } else if offered.len() >= limits.offered_tools || bytes + own_bytes > limits.offered_bytes {
                too_many += 1;
            } else {
                bytes += own_bytes;
                offered.push(Arc::new(one));
            }
        }
        Self { info, shortened: shortened(too_many, too_long, limits), all, offered }
    }
}

fn shortened(too_many: usize, too_long: usize, limits: &McpLimits) -> Option<String> {
    let McpLimits { offered_tools, offered_bytes, tool_bytes, .. } = limits;
    let mut text = String::new();
    if too_many > 0 {
        let _ = write!(
            text,
            "{too_many} of its tools are not offered to the model, which sees at most {offered_tools} tools and {offered_bytes} bytes \
             of one server; choose with enabled_tools"
        );
    }
    if too_long > 0 {
        let separator = if text.is_empty() { "" } else { "; " };
        let _ = write!(text, "{separator}{too_long} of its tools have descriptions of more than {tool_bytes} bytes");
    }
    (!text.is_empty()).then_some(text)
}

impl Offered {
    fn new(server: &Arc<str>, tool: &Tool, names: &mut HashSet<String>) -> Self {
        let annotations = tool.annotations.as_ref();
        let name = name_for_model(server, &tool.name, names);
        let schema = parameters(&tool.input_schema);
        Self {
            server: server.clone(),
            tool: tool.name.clone().into_owned(),
            title: tool.title.clone().or_else(|| annotations.and_then(|said| said.title.clone())),
            hints: annotations.map_or_else(ToolHints::default, |said| ToolHints {
                read_only: said.read_only_hint,
                destructive: said.destructive_hint,
                open_world: said.open_world_hint,
            }),
            spec: ToolSpec {
                name,
                description: tool.description.clone().unwrap_or_default().into_owned(),
                parameters: serde_json::value::to_raw_value(&schema).unwrap_or_default(),
            },
        }
    }
}

/// The schema of the arguments. Some providers want an object with members, even if there are none.
fn parameters(schema: &serde_json::Map<String, Value>) -> Value {
    let mut schema = schema.clone();
    schema.remove("$schema");
    schema.insert("type".to_owned(), "object".into());
    schema.entry("properties").or_insert_with(|| json!({}));
    Value::Object(schema)
}

/// `mcp__SERVER__TOOL`, with `_` for what providers do not take in a name. A name that is too long, or that another tool
/// has, ends with a digest of the whole name.
fn name_for_model(server: &str, tool: &str, names: &mut HashSet<String>) -> String {
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect()
    };
    let mut name = format!("mcp__{}__{}", plain(server), plain(tool));
    if name.len() > NAME || names.contains(&name) {
        let digest = Sha256::digest(format!("{server}\0{tool}"));
        name.truncate(NAME - DIGEST - 1);
        name.push('_');
        for byte in &digest[..DIGEST / 2] {
            let _ = write!(name, "{byte:02x}");
        }
    }
    names.insert(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, description: &str) -> Tool {
        serde_json::from_value(json!({
            "name": name, "description": description, "inputSchema": {"type": "object"},
            "annotations": {"readOnlyHint": true, "title": "T"}
        }))
        .unwrap()
    }

    fn offered(config: &str, tools: Vec<Tool>) -> Catalogue {
        Catalogue::new(&"demo".into(), &toml::from_str(config).unwrap(), &McpLimits::usual(), None, tools)
    }

    fn names(catalogue: &Catalogue) -> Vec<&str> {
        catalogue.offered.iter().map(|tool| tool.spec.name.as_str()).collect()
    }

    #[test]
    fn names_are_taken_by_every_provider_and_stay_different() {
        let long = "x".repeat(100);
        let catalogue = offered("", vec![tool("a.b", ""), tool("a_b", ""), tool("plain-1", ""), tool(&long, "")]);
        let names = names(&catalogue);
        assert_eq!(&names[..1], ["mcp__demo__a_b"]);
        assert!(names[1].starts_with("mcp__demo__a_b_"), "{names:?}");
        assert_eq!(names[2], "mcp__demo__plain-1");
        assert_eq!(names[3].len(), NAME);
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 4);
        assert_eq!(catalogue.offered[3].tool, long, "the server is called by its own name");
    }

    #[test]
    fn the_configuration_chooses_and_bounds_hold() {
        let tool_bytes = McpLimits::usual().tool_bytes;
        let some = offered("disabled_tools = ['b']", vec![tool("a", ""), tool("b", "")]);
        assert_eq!((names(&some), some.all.len(), some.shortened.as_deref()), (vec!["mcp__demo__a"], 2, None));
        let many = offered("", (0..2000).map(|number| tool(&format!("t{number}"), "")).collect());
        assert_eq!(many.offered.len(), McpLimits::usual().offered_tools);
        assert!(many.shortened.unwrap().starts_with("1744 of its tools"));
        let long = offered("", vec![tool("a", &"x".repeat(tool_bytes)), tool("b", "")]);
        assert_eq!(names(&long), ["mcp__demo__b"]);
        assert!(long.shortened.is_some());
        let much = offered("", (0..40).map(|n| tool(&format!("t{n:02}"), &"x".repeat(tool_bytes / 2))).collect());
        assert!(much.offered.len() < 32 && much.offered.len() > 28, "{}", much.offered.len());
    }

    #[test]
    fn what_a_tool_says_is_kept() {
        let one = &offered("", vec![tool("a", "does")]).offered[0];
        assert_eq!((one.title.as_deref(), one.hints.read_only), (Some("T"), Some(true)));
        assert_eq!(one.spec.description, "does");
        assert_eq!(one.spec.parameters.get(), r#"{"properties":{},"type":"object"}"#);
    }
}
