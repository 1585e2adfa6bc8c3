//! `fuzzyFileSearch`: finding files by parts of their paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests that the search actor answers; the variant is named after the method.
#[derive(Debug)]
pub enum SearchRequest {
    /// `fuzzyFileSearch`
    FuzzyFileSearch(FuzzyFileSearchParams),
    /// `fuzzyFileSearch/sessionStart`
    SessionStart(FuzzyFileSearchSessionStartParams),
    /// `fuzzyFileSearch/sessionUpdate`
    SessionUpdate(FuzzyFileSearchSessionUpdateParams),
    /// `fuzzyFileSearch/sessionStop`
    SessionStop(FuzzyFileSearchSessionStopParams),
}

/// Params of `fuzzyFileSearch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchParams {
    /// Words, each of which must match; `'word` literally, `^word` at the start, `word$` at the end, `!word` not.
    pub query: String,
    /// The directories to search; relative ones begin at the server's own.
    pub roots: Vec<String>,
    /// A search that is still running under the same token gives way to this one.
    pub cancellation_token: Option<String>,
}

/// Result of `fuzzyFileSearch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FuzzyFileSearchResponse {
    /// The best first. Empty for an empty query, and for a search that gave way to another.
    pub files: Vec<FuzzyFileSearchResult>,
}

/// A file or directory that was found. Its members are spelled as no others in the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FuzzyFileSearchResult {
    /// The directory that was searched, as the client spelled it.
    pub root: String,
    /// From there on.
    pub path: String,
    /// What it is.
    pub match_type: FuzzyFileSearchMatchType,
    /// The last part of the path.
    pub file_name: String,
    /// How well it matches; only good for comparing.
    pub score: u32,
    /// The characters of `path` that match, in their order.
    pub indices: Option<Vec<u32>>,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FuzzyFileSearchMatchType {
    /// Something that is no directory.
    File,
    /// A directory, or a link that leads to one.
    Directory,
}

/// Params of `fuzzyFileSearch/sessionStart`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionStartParams {
    /// The client's own name for the session, one per connection; a session of that name is replaced.
    pub session_id: String,
    /// The directories to search, at least one.
    pub roots: Vec<String>,
}

/// Params of `fuzzyFileSearch/sessionUpdate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionUpdateParams {
    /// Which session.
    pub session_id: String,
    /// As in `fuzzyFileSearch`.
    pub query: String,
}

/// Params of `fuzzyFileSearch/sessionStop`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionStopParams {
    /// Which session; one that is not there is fine.
    pub session_id: String,
}

/// Params of the notification `fuzzyFileSearch/sessionUpdated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FuzzyFileSearchSessionUpdatedNotification")]
pub struct FuzzyFileSearchSessionUpdated {
    /// Which session.
    pub session_id: String,
    /// The query that was answered.
    pub query: String,
    /// As in the result of `fuzzyFileSearch`.
    pub files: Vec<FuzzyFileSearchResult>,
}
