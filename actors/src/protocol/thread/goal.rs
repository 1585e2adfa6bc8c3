//! Goals: what an agent works towards over several turns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ThreadId, ThreadIdParams};

/// The goal of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadGoal {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// What is to be reached.
    pub objective: String,
    /// Whether the agent works towards it.
    pub status: ThreadGoalStatus,
    /// Tokens that it may take.
    pub token_budget: Option<i64>,
    /// Tokens that it has taken.
    pub tokens_used: i64,
    /// Time that turns took for it, in seconds.
    pub time_used_seconds: i64,
    /// Time of creation, in Unix seconds.
    pub created_at: i64,
    /// Time of the last change, in Unix seconds.
    pub updated_at: i64,
}

/// Whether the agent works towards a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadGoalStatus {
    /// It does: where a turn ends by itself, the next begins.
    Active,
    /// A person wants a pause.
    Paused,
    /// The agent cannot go on alone.
    Blocked,
    /// The provider allows no more.
    UsageLimited,
    /// The token budget is used up.
    BudgetLimited,
    /// It is reached.
    Complete,
}

/// Who wants a change of a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadGoalMutationOrigin {
    /// A person.
    User,
    /// A program.
    Automatic,
}

/// Params of `thread/goal/set`. What is absent stays as it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadGoalSetParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What is to be reached; other words than before are a new goal.
    pub objective: Option<String>,
    /// Whether the agent works towards it.
    pub status: Option<ThreadGoalStatus>,
    /// Tokens that it may take.
    pub token_budget: Option<i64>,
    /// Who wants it.
    pub origin: Option<ThreadGoalMutationOrigin>,
}

/// Result of `thread/goal/set`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThreadGoalSetResponse {
    /// The goal as it is now.
    pub goal: ThreadGoal,
}

/// Params of `thread/goal/get`.
pub type ThreadGoalGetParams = ThreadIdParams;

/// Result of `thread/goal/get`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ThreadGoalGetResponse {
    /// The goal, if the thread has one.
    pub goal: Option<ThreadGoal>,
}

/// Params of `thread/goal/clear`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadGoalClearParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Who wants it.
    pub origin: Option<ThreadGoalMutationOrigin>,
}

/// Result of `thread/goal/clear`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThreadGoalClearResponse {
    /// Whether there was one.
    pub cleared: bool,
}
