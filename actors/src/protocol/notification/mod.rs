//! Notifications in both directions.

mod growth;
#[macro_use]
mod macros;
mod table;
#[cfg(test)]
mod tests;
mod thread;
mod turn;

pub use table::ServerNotification;
pub use thread::{ServerRequestResolved, ThreadReverted, ThreadSettings, ThreadSettingsUpdated, Warning};
pub use turn::{
    FileChangePatchUpdated, ItemCompleted, ItemDelta, ItemStarted, McpServerStartupFailureReason,
    McpServerStartupState, McpServerStatusUpdated, McpToolCallProgress, ReasoningSummaryPartAdded,
    ReasoningSummaryTextDelta, ReasoningTextDelta, TerminalInteraction, ThreadTokenUsageUpdated, TurnChanged,
    TurnDiffUpdated, TurnFailure, TurnOfThread, TurnPlanUpdated,
};

use schemars::JsonSchema;
use serde::Deserialize;

use super::thread::ThreadId;

/// Notifications from clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "method")]
pub enum ClientNotification {
    /// The handshake is complete. Optional: some editors never send it, and nothing depends on it.
    #[serde(rename = "initialized")]
    Initialized,
}

/// The audience of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationAudience {
    /// Every initialized connection.
    Everyone,
    /// The connections that are subscribed to the thread.
    Subscribers(ThreadId),
    /// The connection whose request caused it, as known to the sender.
    Requester,
}

/// A row of the table of notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationRow {
    /// The name on the wire, for opt-outs and metrics.
    pub name: &'static str,
    /// The published name of the params without `Notification`; `None` if it follows from `name`.
    pub(super) params: Option<&'static str>,
}
