//! `fuzzyFileSearch`: finds files by parts of their paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests that the search actor answers; the variant is named after the method.
#[derive(Debug)]
pub enum SearchRequest {
    /// `fuzzyFileSearch`
    FuzzyFileSearch(Box<FuzzyFileSearchParams>),
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
    /// Words that must all match: `word` fuzzily, `'word` literally, `^word` at the start, `word$` at the end, `!word`
    /// must not match.
    pub query: String,
    /// Directories to search. Relative paths are resolved against the server's working directory.
    pub roots: Vec<String>,
    /// Cancels a running search with the same token.
    pub cancellation_token: Option<String>,
}

/// Result of `fuzzyFileSearch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FuzzyFileSearchResponse {
    /// Results, best first. Empty for an empty query and for a canceled search.
    pub files: Vec<FuzzyFileSearchResult>,
}

/// A found file or directory. Unlike in the rest of the protocol, member names are snake_case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FuzzyFileSearchResult {
    /// The searched directory as given by the client.
    pub root: String,
    /// Path relative to `root`.
    pub path: String,
    /// File or directory.
    pub match_type: FuzzyFileSearchMatchType,
    /// Last component of the path.
    pub file_name: String,
    /// Score; higher is better. Only comparable within one search.
    pub score: u32,
    /// Ascending indices of the matching characters of `path`.
    pub indices: Option<Vec<u32>>,
}

/// Kind of a search result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FuzzyFileSearchMatchType {
    /// Anything but a directory.
    File,
    /// A directory or a symbolic link to one.
    Directory,
}

/// Params of `fuzzyFileSearch/sessionStart`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionStartParams {
    /// The client's name for the session, unique per connection. An existing session of that name is replaced.
    pub session_id: String,
    /// Directories to search; at least one.
    pub roots: Vec<String>,
}

/// Params of `fuzzyFileSearch/sessionUpdate`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionUpdateParams {
    /// The session.
    pub session_id: String,
    /// The query, as in `fuzzyFileSearch`.
    pub query: String,
}

/// Params of `fuzzyFileSearch/sessionStop`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FuzzyFileSearchSessionStopParams {
    /// The session; an unknown session is not an error.
    pub session_id: String,
}

/// Params of the notification `fuzzyFileSearch/sessionUpdated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FuzzyFileSearchSessionUpdatedNotification")]
pub struct FuzzyFileSearchSessionUpdated {
    /// The session.
    pub session_id: String,
    /// The query to which the files belong.
    pub query: String,
    /// Results, as in the result of `fuzzyFileSearch`.
    pub files: Vec<FuzzyFileSearchResult>,
}
