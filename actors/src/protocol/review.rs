//! Params and result of `review/start`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::thread::ThreadId;
use super::turn::Turn;

/// Params of `review/start`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStartParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What is reviewed.
    pub target: ReviewTarget,
    /// Where the review runs; only in the thread itself.
    #[serde(default)]
    pub delivery: Option<ReviewDelivery>,
}

/// Where a review runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReviewDelivery {
    /// In the thread itself.
    Inline,
}

/// What is reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ReviewTarget {
    /// What differs from the last commit: staged, unstaged and untracked files.
    UncommittedChanges,
    /// What differs from another branch.
    BaseBranch {
        /// The branch.
        branch: String,
    },
    /// What one commit has changed.
    Commit {
        /// The commit.
        sha: String,
        /// Its subject, for people.
        #[serde(default)]
        title: Option<String>,
    },
    /// Whatever these words say.
    Custom {
        /// The words.
        instructions: String,
    },
}

impl ReviewTarget {
    /// The member that must not be empty, and its text.
    pub fn text(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::UncommittedChanges => None,
            Self::BaseBranch { branch } => Some(("branch", branch)),
            Self::Commit { sha, .. } => Some(("sha", sha)),
            Self::Custom { instructions } => Some(("instructions", instructions)),
        }
    }
}

/// Result of `review/start`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewStartResponse {
    /// The turn of the review, with a user message that says what is reviewed.
    pub turn: Turn,
    /// The thread in which it runs: that of the request.
    pub review_thread_id: ThreadId,
}
