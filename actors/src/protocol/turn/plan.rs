//! The plan of a turn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A step of the agent's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TurnPlanStep {
    /// Description of the step.
    pub step: String,
    /// Status of the step.
    pub status: TurnPlanStepStatus,
}

/// Status of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnPlanStepStatus {
    /// Not started.
    Pending,
    /// In progress.
    InProgress,
    /// Done.
    Completed,
}
