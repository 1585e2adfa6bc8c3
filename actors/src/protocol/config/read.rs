//! `config/read` and `configRequirements/read`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::protocol::schema::EXPERIMENTAL;
use crate::protocol::thread::{ApprovalsReviewer, SandboxMode, Unset};

/// Params of `config/read`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReadParams {
    /// The directory whose project layers count too; absent means the user's configuration alone.
    pub cwd: Option<String>,
    /// Whether to show the layers that the effective configuration was made from.
    pub include_layers: Option<bool>,
}

/// Result of `config/read`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConfigReadResponse {
    /// The effective configuration.
    pub config: Config,
    /// By dotted key: the layer that the effective value comes from.
    pub origins: BTreeMap<String, ConfigLayerMetadata>,
    /// From the strongest to the weakest; left out unless asked for, as clients know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<ConfigLayer>>,
}

/// A configuration with the names of `config.toml` (snake_case).
///
/// Settings that this server does not know are kept: clients store their own there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config(pub toml::Table);

/// The members that the schema names; the effective configuration has each of them, null when it is not set.
const NAMED: [&str; 27] = [
    "model",
    "review_model",
    "model_context_window",
    "model_auto_compact_token_limit",
    "model_auto_compact_token_limit_scope",
    "model_provider",
    "approval_policy",
    "approvals_reviewer",
    "sandbox_mode",
    "sandbox_workspace_write",
    "forced_chatgpt_workspace_id",
    "forced_login_method",
    "web_search",
    "client_search_provider",
    "tools",
    "instructions",
    "developer_instructions",
    "compact_prompt",
    "model_reasoning_effort",
    "model_reasoning_summary",
    "model_verbosity",
    "service_tier",
    "analytics",
    "apps",
    "browser_use",
    "computer_use",
    "desktop",
];

impl JsonSchema for Config {
    fn schema_name() -> Cow<'static, str> {
        "Config".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // What this server goes by is of the right type, or the configuration is refused; the rest nobody has judged.
        let mut member = |name: &str| match name {
            "model" | "model_provider" | "model_reasoning_effort" | "service_tier" => {
                generator.subschema_for::<Option<String>>()
            }
            "approvals_reviewer" => generator.subschema_for::<Option<ApprovalsReviewer>>(),
            "sandbox_mode" => generator.subschema_for::<Option<SandboxMode>>(),
            "apps" => json_schema!({EXPERIMENTAL: true}),
            _ => Schema::from(true),
        };
        let members: Map<String, Value> =
            NAMED.iter().map(|name| ((*name).to_owned(), member(name).to_value())).collect();
        json_schema!({
            "description": "A configuration with the names of `config.toml`. Named members that are not set are null.",
            "type": "object",
            "properties": members,
            "required": NAMED,
            "additionalProperties": true,
        })
    }
}

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in NAMED {
            map.serialize_entry(name, &self.0.get(name).map(to_json))?;
        }
        for (name, value) in self.0.iter().filter(|(name, _)| !NAMED.contains(&name.as_str())) {
            map.serialize_entry(name, &to_json(value))?;
        }
        map.end()
    }
}

/// A layer's own settings and where they come from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigLayer {
    /// Where it comes from, and its version.
    #[serde(flatten)]
    pub metadata: ConfigLayerMetadata,
    /// What it sets, and nothing else.
    #[serde(serialize_with = "as_json")]
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub config: toml::Table,
    /// Why it does not count; left out of a layer that does, as clients know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
}

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigLayerMetadata {
    /// The layer.
    pub name: ConfigLayerSource,
    /// Changes with every change of the layer: `sha256:` and the hash of its settings as compact JSON with sorted keys.
    pub version: String,
}

impl ConfigLayerMetadata {
    /// The version that `config` has as the content of layer `name`.
    pub fn new(name: ConfigLayerSource, config: &toml::Table) -> Self {
        // Tables of both crates iterate in the order of their keys.
        let json = to_json(&toml::Value::Table(config.clone())).to_string();
        let hash: String = Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name, version: format!("sha256:{hash}") }
    }
}

/// The kinds of layer that this server has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ConfigLayerSource {
    /// The machine's configuration.
    System {
        /// It need not exist.
        file: String,
    },
    /// The user's configuration.
    User {
        /// It need not exist.
        file: String,
        /// A profile layered on top; this server has none.
        profile: Unset,
    },
    /// A `.codex` folder between the working directory and the project's root.
    Project {
        /// The folder that holds `config.toml`.
        dot_codex_folder: String,
    },
    /// `-c key=value` of the command line.
    SessionFlags,
}

/// Result of `configRequirements/read`: nobody manages this installation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigRequirementsReadResponse {
    /// Whether requirements on Fast and Ultra Fast are told apart, as the level of the protocol that we speak does.
    pub supports_independent_speed_modes: bool,
    /// What an administrator demands.
    pub requirements: Unset,
}

fn as_json<S: Serializer>(table: &toml::Table, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(table.iter().map(|(name, value)| (name, to_json(value))))
}

/// TOML as JSON. JSON has no dates and no infinities: a date becomes its text, and a number that JSON lacks null.
pub(super) fn to_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text.as_str()),
        toml::Value::Integer(number) => Value::from(*number),
        toml::Value::Float(number) => Value::from(*number),
        toml::Value::Boolean(yes) => Value::from(*yes),
        toml::Value::Datetime(date) => Value::from(date.to_string()),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(table) => table.iter().map(|(name, value)| (name.clone(), to_json(value))).collect(),
    }
}
