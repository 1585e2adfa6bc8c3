//! `server/diagnostics`: facts about the running server, and nothing of what is said over it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of `server/diagnostics`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ServerDiagnosticsParams {}

/// Result of `server/diagnostics`: the members of the reference program, the version, and the connections.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerDiagnosticsResponse {
    /// The process.
    pub process: ServerDiagnosticsProcess,
    /// Figures by name.
    pub gauges: Vec<ServerDiagnosticsGauge>,
    /// Version of this program, which is not the version of the protocol. The reference program does not have this member.
    #[serde(default)]
    pub version: String,
    /// The URLs at which clients connect. The reference program does not have this member.
    #[serde(default)]
    pub listeners: Vec<String>,
    /// The last attempt to put another server in the place of this one, if one has failed. The reference program does not
    /// have this member.
    #[serde(default)]
    pub failed_upgrade: Option<FailedUpgrade>,
    /// The clients that are connected. The reference program does not have this member.
    #[serde(default)]
    pub connections: Vec<DiagnosedConnection>,
}

/// An upgrade that has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedUpgrade {
    /// How many have failed since the start.
    pub times: u64,
    /// Why the last one did.
    pub reason: String,
}

/// The process of the server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerDiagnosticsProcess {
    /// Id of the process.
    pub id: u32,
    /// Resident memory in bytes; null if the system does not say.
    pub resident_memory_bytes: Option<u64>,
    /// Physical footprint in bytes, on systems that have it.
    pub physical_footprint_bytes: Option<u64>,
}

/// A figure.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerDiagnosticsGauge {
    /// What is counted.
    pub name: String,
    /// How much there is of it now.
    pub value: u64,
}

/// A connected client.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiagnosedConnection {
    /// Id of the connection, as in the log.
    pub id: u64,
    /// Name and version of the client; null until it has sent `initialize`.
    pub client: Option<String>,
    /// Where the client is: an address, a process, or the transport.
    pub peer: String,
    /// The transport.
    pub transport: String,
    /// Seconds since it has connected.
    pub connected_seconds: u64,
    /// Bytes that wait for the client to read them.
    pub queued_bytes: u64,
    /// Number of threads that it follows.
    pub threads: u64,
}

impl DiagnosedConnection {
    /// About its bytes of JSON.
    pub fn bytes(&self) -> usize {
        const REST: usize = 128;
        REST + self.client.as_ref().map_or(0, String::len) + self.peer.len() + self.transport.len()
    }
}
