//! Params and results of the methods that change what a conversation goes on from: its settings, what the model knows, and
//! where it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Thread, ThreadIdParams};
use crate::protocol::turn::TurnChoices;
use crate::protocol::with_choices::WithChoices;

/// Params of `thread/settings/update`. What is chosen is in effect from the next turn on.
pub type ThreadSettingsUpdateParams = WithChoices<TurnChoices, ThreadIdParams>;

/// Params of `thread/inject_items`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadInjectItemsParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Input items of the Responses API, which the model sees after everything else.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub items: Vec<Box<RawValue>>,
}

/// Params of `thread/revert`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadRevertParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The first turn that is removed, with all later ones.
    pub before_turn_id: String,
}

/// Result of `thread/revert`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadRevertResponse {
    /// The thread without its turns.
    pub thread: Thread,
    /// Cursor from which `thread/turns/list` reads backwards; null without turns.
    pub turns_backwards_cursor: Option<String>,
    /// Cursor from which `thread/items/list` reads backwards; null without items.
    pub items_backwards_cursor: Option<String>,
}
