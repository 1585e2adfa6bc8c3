//! Turns: one round of a user asking and the agent working.

mod error;
mod params;
mod plan;

pub use error::{CodexErrorInfo, HttpStatus, NonSteerableTurnKind, TurnError};
pub use params::{
    AdditionalContextEntry, AdditionalContextKind, CyberAccessProgram, TurnEnvironmentParams, TurnInterruptParams,
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
    /// Its identity; a UUID of version 7 where this server made it.
    pub id: String,
    /// The first turn of the chain that led to it; itself when none did.
    pub root_turn_id: Option<String>,
    /// Items, as far as `itemsView` includes them.
    pub items: Vec<ThreadItem>,
    /// Which of its items are here.
    pub items_view: TurnItemsView,
    /// Status of the turn.
    pub status: TurnStatus,
    /// The error, if it failed.
    pub error: Option<TurnError>,
    /// When it started, in Unix seconds.
    pub started_at: Option<i64>,
    /// When it ended, in Unix seconds.
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
    /// A client, or the end of the server, stopped it.
    Interrupted,
    /// It has failed.
    Failed,
    /// It is running.
    InProgress,
}

/// Which of a turn's items a message holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnItemsView {
    /// None.
    NotLoaded,
    /// The first message of the user and the last of the agent.
    #[default]
    Summary,
    /// All.
    Full,
}
