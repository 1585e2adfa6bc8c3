//! Notifications in both directions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::command::CommandExecOutputDelta;
use super::config::ConfigWarning;
use super::fs::FsChanged;
use super::remote::RemoteControlState;
use super::search::FuzzyFileSearchSessionUpdated;
use super::thread::{Thread, ThreadId, ThreadStatus};

/// What a client may tell without waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "method")]
pub enum ClientNotification {
    /// The handshake is over. Optional: some editors never send it, and nothing waits for it.
    #[serde(rename = "initialized")]
    Initialized,
}

/// What the server tells; the variants carry the `params`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", content = "params", rename_all_fields = "camelCase")]
pub enum ServerNotification {
    /// A thread came to life.
    #[serde(rename = "thread/started")]
    ThreadStarted {
        /// The thread as it is now, without turns.
        thread: Box<Thread>,
    },
    /// A thread went to work, to rest, or out of memory.
    #[serde(rename = "thread/status/changed")]
    ThreadStatusChanged {
        /// Id of the thread.
        thread_id: ThreadId,
        /// What it does now.
        status: ThreadStatus,
    },
    /// A thread has another title.
    #[serde(rename = "thread/name/updated")]
    ThreadNameUpdated {
        /// Id of the thread.
        thread_id: ThreadId,
        /// The title now.
        thread_name: Option<String>,
    },
    /// A thread was put away.
    #[serde(rename = "thread/archived")]
    ThreadArchived {
        /// Id of the thread.
        thread_id: ThreadId,
    },
    /// A thread was taken out again.
    #[serde(rename = "thread/unarchived")]
    ThreadUnarchived {
        /// Id of the thread.
        thread_id: ThreadId,
    },
    /// A thread is gone for good.
    #[serde(rename = "thread/deleted")]
    ThreadDeleted {
        /// Id of the thread.
        thread_id: ThreadId,
    },
    /// A thread left memory because nobody used it.
    #[serde(rename = "thread/closed")]
    ThreadClosed {
        /// Id of the thread.
        thread_id: ThreadId,
    },
    /// A command wrote something.
    #[serde(rename = "command/exec/outputDelta")]
    CommandExecOutputDelta(CommandExecOutputDelta),
    /// The configuration has a fault that the server can live with.
    #[serde(rename = "configWarning")]
    ConfigWarning(ConfigWarning),
    /// Something that a client watches has changed.
    #[serde(rename = "fs/changed")]
    FsChanged(FsChanged),
    /// A search has results.
    #[serde(rename = "fuzzyFileSearch/sessionUpdated")]
    FuzzyFileSearchSessionUpdated(FuzzyFileSearchSessionUpdated),
    /// A search has told everything about its last query.
    #[serde(rename = "fuzzyFileSearch/sessionCompleted")]
    FuzzyFileSearchSessionCompleted {
        /// Which session.
        session_id: String,
    },
    /// How far remote control is.
    #[serde(rename = "remoteControl/status/changed")]
    RemoteControlStatusChanged(RemoteControlState),
}

impl ServerNotification {
    /// The name of [`Self::CommandExecOutputDelta`], for those who encode it themselves.
    pub const COMMAND_EXEC_OUTPUT_DELTA: &'static str = "command/exec/outputDelta";

    /// The name on the wire, by which clients opt out.
    pub fn method(&self) -> &'static str {
        match self {
            Self::ThreadStarted { .. } => "thread/started",
            Self::ThreadStatusChanged { .. } => "thread/status/changed",
            Self::ThreadNameUpdated { .. } => "thread/name/updated",
            Self::ThreadArchived { .. } => "thread/archived",
            Self::ThreadUnarchived { .. } => "thread/unarchived",
            Self::ThreadDeleted { .. } => "thread/deleted",
            Self::ThreadClosed { .. } => "thread/closed",
            Self::CommandExecOutputDelta(_) => Self::COMMAND_EXEC_OUTPUT_DELTA,
            Self::ConfigWarning(_) => "configWarning",
            Self::FsChanged(_) => "fs/changed",
            Self::FuzzyFileSearchSessionUpdated(_) => "fuzzyFileSearch/sessionUpdated",
            Self::FuzzyFileSearchSessionCompleted { .. } => "fuzzyFileSearch/sessionCompleted",
            Self::RemoteControlStatusChanged(_) => "remoteControl/status/changed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::CommandExecOutputStream;
    use super::super::remote::RemoteControlStatus;
    use super::*;
    use crate::protocol::Frame;

    #[test]
    fn opting_out_uses_the_names_on_the_wire() {
        let thread_id = ThreadId::new();
        for notification in [
            ServerNotification::ThreadStatusChanged { thread_id, status: ThreadStatus::Idle },
            ServerNotification::ThreadNameUpdated { thread_id, thread_name: None },
            ServerNotification::ThreadArchived { thread_id },
            ServerNotification::ThreadUnarchived { thread_id },
            ServerNotification::ThreadDeleted { thread_id },
            ServerNotification::ThreadClosed { thread_id },
            ServerNotification::CommandExecOutputDelta(CommandExecOutputDelta::new(
                "p".into(),
                CommandExecOutputStream::Stdout,
                b"",
                false,
            )),
            ServerNotification::ConfigWarning(ConfigWarning {
                summary: "s".into(),
                details: None,
                path: None,
                range: None,
            }),
            ServerNotification::FsChanged(FsChanged { watch_id: "w".into(), changed_paths: Vec::new() }),
            ServerNotification::FuzzyFileSearchSessionUpdated(FuzzyFileSearchSessionUpdated {
                session_id: "s".into(),
                query: "q".into(),
                files: Vec::new(),
            }),
            ServerNotification::FuzzyFileSearchSessionCompleted { session_id: "s".into() },
            ServerNotification::RemoteControlStatusChanged(RemoteControlState {
                status: RemoteControlStatus::Disabled,
                server_name: "n".into(),
                installation_id: "i".into(),
                environment_id: None,
            }),
        ] {
            let written = serde_json::to_value(&notification).unwrap();
            assert_eq!(written["method"], notification.method());
        }
    }

    #[test]
    fn a_notification_is_stamped_and_keeps_items_as_they_are() {
        let thread_id = ThreadId::new();
        let closed = Frame::notification(&ServerNotification::ThreadClosed { thread_id }, 5);
        let text = format!(r#"{{"method":"thread/closed","params":{{"threadId":"{thread_id}"}},"emittedAtMs":5}}"#);
        assert_eq!(closed.text(), text.as_str());

        let mut thread: Thread = serde_json::from_str(crate::protocol::thread::tests::THREAD).unwrap();
        thread.name = Some("n".into());
        let written = serde_json::to_string(&thread).unwrap();
        let started = Frame::notification(&ServerNotification::ThreadStarted { thread: Box::new(thread) }, 5);
        let text = format!(r#"{{"method":"thread/started","params":{{"thread":{written}}},"emittedAtMs":5}}"#);
        assert_eq!(started.text(), text.as_str());
    }
}
