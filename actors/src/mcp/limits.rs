//! The bounds of MCP servers.

use serde::Deserialize;

/// The settings of the same names say why each has its default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpLimits {
    /// Servers of all threads that may run at a time. One more fails to start, and says why.
    pub running_servers: usize,
    /// Servers that may be starting at a time. The others wait.
    pub starting_servers: usize,
    /// Servers of one thread; the first ones in the order of their names.
    pub thread_servers: usize,
    /// Calls that one server works on at a time. One more is refused, and the model told.
    pub server_calls: usize,
    /// Tools that one server may list. What it lists beyond is left out.
    pub listed_tools: usize,
    /// Bytes of all tools of one server for clients.
    pub listed_bytes: usize,
    /// Tools of one server that are offered to the model.
    pub offered_tools: usize,
    /// Bytes of the descriptions and schemas of these.
    pub offered_bytes: usize,
    /// Bytes of the description and the schema of one tool.
    pub tool_bytes: usize,
    /// Resources, and templates, of one server that clients and the model are shown.
    pub listed_resources: usize,
    /// Bytes of a result that clients see, and that are kept.
    pub result_bytes: usize,
}

#[cfg(test)]
impl McpLimits {
    /// The defaults, or a little less.
    pub fn usual() -> Self {
        Self {
            running_servers: 8,
            starting_servers: 2,
            thread_servers: 8,
            server_calls: 8,
            listed_tools: 2000,
            listed_bytes: 8 << 20,
            offered_tools: 256,
            offered_bytes: 1 << 20,
            tool_bytes: 64 << 10,
            listed_resources: 8,
            result_bytes: 1 << 20,
        }
    }
}
