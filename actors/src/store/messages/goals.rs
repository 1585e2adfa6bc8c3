//! The messages about goals.

use crate::protocol::thread::{ThreadGoalStatus, ThreadId};

/// Reads the goal of a thread. The answer is `None` if it has none.
#[derive(Clone, Copy, Debug)]
pub struct ReadGoal {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// Changes the goal of a thread. The answer is the goal as it is then, or `None` if there was nothing to change.
#[derive(Debug)]
pub struct ChangeGoal {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// How.
    pub change: GoalChange,
    /// Time of the change.
    pub at_ms: i64,
}

/// A change of a goal.
#[derive(Debug)]
pub enum GoalChange {
    /// A client sets these members. Other words are a new goal.
    Set {
        /// What is to be reached.
        objective: Option<String>,
        /// Whether the agent works towards it.
        status: Option<ThreadGoalStatus>,
        /// Tokens that it may take.
        token_budget: Option<i64>,
    },
    /// Who worked towards it does so no more.
    Settle(ThreadGoalStatus),
    /// A turn was spent on it.
    Spend {
        /// Tokens of its calls to the model.
        tokens: i64,
        /// Its time.
        ms: i64,
    },
}

/// Takes the goal of a thread away. The answer is whether there was one.
#[derive(Clone, Copy, Debug)]
pub struct ClearGoal {
    /// Id of the thread.
    pub thread_id: ThreadId,
}
