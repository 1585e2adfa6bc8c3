//! Paged lists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of a method without params, or whose params do not change this server's answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct NoParams {}

/// Params of a paged list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PageParams {
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of entries; 0 means 1.
    pub limit: Option<u32>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}
