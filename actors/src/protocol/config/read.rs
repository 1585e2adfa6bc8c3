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
    /// Directory whose project layers are included; absent: only the user's configuration.
    pub cwd: Option<String>,
    /// Whether to return the layers behind the effective configuration.
    pub include_layers: Option<bool>,
}

/// Result of `config/read`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConfigReadResponse {
    /// The effective configuration.
    pub config: Config,
    /// The layer of each effective value, by dotted key.
    pub origins: BTreeMap<String, ConfigLayerMetadata>,
    /// Layers by descending precedence; only present if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<ConfigLayer>>,
}

/// A configuration with the key names of `config.toml` (snake_case).
///
/// Unknown settings are kept, because clients store their own there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config(pub toml::Table);

/// The members named by the schema. The effective configuration has all of them; unset ones are null.
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
        // Settings that this server uses were checked when they were loaded. The types of the others are unknown.
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

/// A layer of the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigLayer {
    /// Source and version of the layer.
    #[serde(flatten)]
    pub metadata: ConfigLayerMetadata,
    /// The settings of this layer only.
    #[serde(serialize_with = "as_json")]
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub config: toml::Table,
    /// Why the layer is ignored; absent if it is in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
}

/// Source and version of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConfigLayerMetadata {
    /// The layer.
    pub name: ConfigLayerSource,
    /// Version of the layer: `sha256:` and the hash of its settings as compact JSON with sorted keys.
    pub version: String,
}

impl ConfigLayerMetadata {
    /// The metadata of layer `name` with the content `config`.
    pub fn new(name: ConfigLayerSource, config: &toml::Table) -> Self {
        // The maps of both crates iterate in key order.
        let json = to_json(&toml::Value::Table(config.clone())).to_string();
        let hash: String = Sha256::digest(json).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { name, version: format!("sha256:{hash}") }
    }
}

/// Kinds of configuration layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ConfigLayerSource {
    /// The machine's configuration.
    System {
        /// Path of the file; it need not exist.
        file: String,
    },
    /// The user's configuration.
    User {
        /// Path of the file; it need not exist.
        file: String,
        /// Always null: this server has no profiles.
        profile: Unset,
    },
    /// A `.codex` folder between the working directory and the project's root.
    Project {
        /// The folder that holds `config.toml`.
        dot_codex_folder: String,
    },
    /// `-c key=value` on the command line.
    SessionFlags,
}

/// Result of `configRequirements/read`. This server has no managed requirements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigRequirementsReadResponse {
    /// Whether requirements on Fast and Ultra Fast are told apart, as the level of the protocol that we speak does.
    pub supports_independent_speed_modes: bool,
    /// Requirements set by an administrator; always null.
    pub requirements: Unset,
}

fn as_json<S: Serializer>(table: &toml::Table, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(table.iter().map(|(name, value)| (name, to_json(value))))
}

/// Converts TOML to JSON. A date becomes a string; an infinite or NaN number becomes null.
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
