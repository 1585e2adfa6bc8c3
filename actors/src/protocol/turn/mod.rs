//! Turns: a user's request and the agent's work on it.

mod choices;
mod error;
mod params;
mod plan;

pub use choices::{TurnChoices, TurnEnvironmentParams};
pub use error::{CodexErrorInfo, HttpStatus, NonSteerableTurnKind, TurnError};
pub use params::{
    AdditionalContextEntry, AdditionalContextKind, CyberAccessProgram, TurnInterruptParams, TurnOptions,
    TurnStartParams, TurnStartResponse, TurnSteerParams, TurnSteerResponse, TurnToolOutput,
};
pub use plan::{TurnPlanStep, TurnPlanStepStatus};

pub use super::item::{ThreadItem, ThreadItemEntry};
pub use super::settings::ReasoningSummary;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A turn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// Id of the turn; this server creates UUIDs of version 7.
    pub id: String,
    /// The first turn of the chain that led to this turn; its own id if there is none.
    pub root_turn_id: Option<String>,
    /// Items, as far as `itemsView` includes them.
    pub items: Vec<ThreadItem>,
    /// How much of the items is included.
    pub items_view: TurnItemsView,
    /// Status of the turn.
    pub status: TurnStatus,
    /// The error, if it failed.
    pub error: Option<TurnError>,
    /// Time of the start, in Unix seconds.
    pub started_at: Option<i64>,
    /// Time of the end, in Unix seconds.
    pub completed_at: Option<i64>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// Status of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnStatus {
    /// It has completed.
    Completed,
    /// It was interrupted by a client or by the end of the server.
    Interrupted,
    /// It has failed.
    Failed,
    /// It is running.
    InProgress,
}

/// How much of a turn's items is included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnItemsView {
    /// None.
    NotLoaded,
    /// The first user message and the last agent message.
    #[default]
    Summary,
    /// All.
    Full,
}
