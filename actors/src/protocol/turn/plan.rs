//! The plan of a turn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step of the agent's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnPlanStep {
    /// What is to be done.
    pub step: String,
    /// Status of the turn.
    pub status: TurnPlanStepStatus,
}

/// How far a step of the plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnPlanStepStatus {
    /// Not begun.
    Pending,
    /// Being worked on.
    InProgress,
    /// Done.
    Completed,
}
