//! Threads: params, results, and the thread itself.

use serde::{Deserialize, Serialize};

/// Requests about threads and turns; the variant is named after the method.
#[derive(Debug)]
pub enum ThreadRequest {
    /// `thread/start`
    Start(ThreadStartParams),
}

/// Params of `thread/start`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadStartParams {}

/// A thread on the wire.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thread {}
