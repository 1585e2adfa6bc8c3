//! What a thread does, in one word.

use std::sync::{Arc, Mutex, PoisonError};

use crate::protocol::thread::ThreadStatus;

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It waits for a turn.
    Idle,
    /// A turn runs.
    Working,
    /// Its last turn failed; it waits for the next.
    Failed,
}

impl From<Activity> for ThreadStatus {
    fn from(activity: Activity) -> Self {
        match activity {
            Activity::Idle => Self::Idle,
            Activity::Working => Self::Active { active_flags: Vec::new() },
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
