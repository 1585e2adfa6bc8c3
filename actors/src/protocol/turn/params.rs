//! Params and results of `turn/start`, `turn/steer` and `turn/interrupt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Turn;
use super::choices::TurnChoices;
use crate::protocol::item::UserInput;
use crate::protocol::optional::null_is_default;
use crate::protocol::with_choices::WithChoices;

/// Params of `turn/start`. The chosen settings stay in effect for later turns.
pub type TurnStartParams = WithChoices<TurnChoices, TurnOptions>;

/// The members of `turn/start` besides the chosen settings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnOptions {
    /// Id of the thread.
    pub thread_id: String,
    /// Input of the user.
    pub input: Vec<UserInput>,
    /// The client's id of this message, returned as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Absolute paths of the workspace roots.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// Service tier for this turn only.
    pub service_tier_for_turn: Option<String>,
    /// JSON Schema of the agent's final message, for this turn only.
    pub output_schema: Option<Value>,
    /// The turn that caused this one.
    pub parent_turn_id: Option<String>,
    /// The first turn of the chain; default: this turn.
    pub root_turn_id: Option<String>,
    /// Cause to record with the turn.
    pub turn_trigger: Option<String>,
    /// Output of a tool instead of user input.
    pub tool_output: Option<TurnToolOutput>,
    /// Additional context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Replaces the metadata of requests to the model.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Adds metadata to requests to the model.
    pub responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
    /// An access program of the provider, for this turn only.
    pub cyber_access_program: Option<CyberAccessProgram>,
}

/// Additional context for the model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct AdditionalContextEntry {
    /// The text.
    pub value: String,
    /// Whether the model may follow instructions in the text.
    pub kind: AdditionalContextKind,
    /// Name of the context.
    pub name: Option<String>,
}

/// Whether the model may follow instructions in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AdditionalContextKind {
    /// Untrusted: the text comes from elsewhere.
    Untrusted,
    /// Trusted: the text comes from the client itself.
    Application,
}

/// Output of a tool instead of user input.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct TurnToolOutput {
    /// Name of the tool.
    pub name: String,
    /// Namespace of the tool.
    pub namespace: Option<String>,
    /// Text, or a list of content parts.
    pub output: Value,
    /// Whether it is kept in the history.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub retain: bool,
}

/// An access program of the provider for cybersecurity work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CyberAccessProgram {
    /// None.
    Standard,
    /// Defensive work.
    DaybreakBlue,
    /// Offensive work, with permission.
    DaybreakRed,
}

/// Result of `turn/start`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TurnStartResponse {
    /// The started turn; its items follow as notifications.
    pub turn: Turn,
}

/// Params of `turn/steer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The turn that the client expects to be running; must not be empty.
    pub expected_turn_id: String,
    /// Additional input of the user.
    pub input: Vec<UserInput>,
    /// The client's id of this message, returned as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Additional context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Replaces the metadata of requests to the model.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Adds metadata to requests to the model.
    pub responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
}

/// Result of `turn/steer`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerResponse {
    /// The turn that was steered.
    pub turn_id: String,
}

/// Params of `turn/interrupt`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnInterruptParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Id of the turn; empty for the running one.
    pub turn_id: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::Method;

    fn start(mut params: Value) -> Result<TurnStartParams, String> {
        params["threadId"] = json!("t");
        params.as_object_mut().unwrap().entry("input").or_insert(json!([]));
        serde_json::from_str(&params.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_tier_may_be_kept_removed_or_replaced() {
        for (params, tier) in [
            (json!({}), None),
            (json!({"serviceTier": null}), Some(None)),
            (json!({"serviceTier": "flex"}), Some(Some("flex".to_owned()))),
        ] {
            assert_eq!(start(params).unwrap().choices.service_tier, tier);
        }
    }

    #[test]
    fn every_member_is_typed() {
        let params = start(json!({
            "input": [{"type": "text", "text": "look"}, {"type": "mention", "name": "m", "path": "app://m"}],
            "approvalPolicy": "never", "sandboxPolicy": {"type": "readOnly"}, "summary": "concise",
            "collaborationMode": {"mode": "plan", "settings": {"model": "m"}}, "outputSchema": {"type": "object"},
            "environments": [{"environmentId": "local", "cwd": "/work"}], "cyberAccessProgram": "daybreakBlue",
            "additionalContext": {"editor": {"value": "v", "kind": "untrusted"}},
            "toolOutput": {"name": "n", "output": "o"}, "responsesapiClientMetadata": {"k": "v"}, "turnTrigger": "exec",
        }))
        .unwrap();
        assert_eq!(params.own.input[0], UserInput::Text { text: "look".into(), text_elements: Vec::new() });
        assert_eq!(params.own.additional_context.unwrap()["editor"].kind, AdditionalContextKind::Untrusted);
        assert!(!params.own.tool_output.unwrap().retain);
        for wrong in [
            json!({"environments": {}}),
            json!({"additionalContext": {"a": {"value": "v"}}}),
            json!({"responsesapiClientMetadata": {"k": 1}}),
            json!({"cyberAccessProgram": "all"}),
            json!({"summary": 1}),
        ] {
            assert!(start(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_unknown_kind_of_input_is_refused_in_the_references_words() {
        let raw = r#"{"threadId": "t", "input": [{"type": "picture", "url": "u"}]}"#;
        let params = serde_json::value::RawValue::from_string(raw.to_owned()).unwrap();
        let error = Method::find("turn/start").unwrap().parse(Some(&params)).unwrap_err();
        let known = "`text`, `image`, `localImage`, `audio`, `localAudio`, `skill`, `mention`";
        assert_eq!(error.message, format!("Invalid request: unknown variant `picture`, expected one of {known}"));
    }
}
