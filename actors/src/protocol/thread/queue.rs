//! Messages of users that wait until a thread is idle.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::item::UserInput;

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QueuedSubmission {
    /// Its id: a UUID of version 7.
    pub id: String,
    /// The client's own id of it.
    pub client_user_message_id: String,
    /// The parts.
    pub input: Vec<UserInput>,
    /// Metadata of the client, given back as it came.
    #[serde(default)]
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// Params of `thread/queue/add`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadQueueAddParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The parts of the message.
    pub input: Vec<UserInput>,
    /// The client's own id of it.
    pub client_user_message_id: String,
    /// Metadata of the client, given back as it came.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
}

/// Result of `thread/queue/add`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadQueueAddResponse {
    /// The message as it waits.
    pub queued_submission: QueuedSubmission,
}

/// Params of `thread/queue/list`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadQueueListParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The `nextCursor` of the page before.
    pub cursor: Option<String>,
    /// Messages on the page at most.
    pub limit: Option<u32>,
}

/// Result of `thread/queue/list`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadQueueListResponse {
    /// The messages, the one that waits longest first.
    pub data: Vec<QueuedSubmission>,
    /// Cursor of the next page.
    pub next_cursor: Option<String>,
}

/// Params of `thread/queue/delete`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadQueueDeleteParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Which message.
    pub queued_submission_id: String,
}

/// Result of `thread/queue/delete`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThreadQueueDeleteResponse {
    /// Whether it was waiting.
    pub deleted: bool,
}
