//! What a thread does, in one word.

use std::sync::{Arc, Mutex, PoisonError};

use crate::protocol::thread::{ThreadActiveFlag, ThreadStatus};

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It waits for a turn.
    Idle,
    /// A turn runs.
    Working(Waits),
    /// Its last turn failed; it waits for the next.
    Failed,
}

/// What a running turn waits for; nothing while it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// A person is to allow something.
    pub approval: bool,
    /// A person is to answer a question.
    pub input: bool,
}

impl Activity {
    /// Whether a turn runs.
    pub fn is_working(self) -> bool {
        matches!(self, Self::Working(_))
    }
}

impl From<Activity> for ThreadStatus {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Idle => Self::Idle,
            Activity::Working(waits) => {
                let approval = waits.approval.then_some(ThreadActiveFlag::WaitingOnApproval);
                let input = waits.input.then_some(ThreadActiveFlag::WaitingOnUserInput);
                Self::Active { active_flags: approval.into_iter().chain(input).collect() }
            }
            Activity::Failed => Self::SystemError,
        }
    }
}

/// What a thread does, where its registry can see it without asking. Cloning shares it.
#[derive(Clone)]
pub struct SharedActivity(Arc<Mutex<Activity>>);

impl SharedActivity {
    pub(super) fn new(activity: Activity) -> Self {
        Self(Arc::new(Mutex::new(activity)))
    }

    pub(super) fn set(&self, activity: Activity) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = activity;
    }

    /// What the thread does now.
    pub fn get(&self) -> Activity {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
