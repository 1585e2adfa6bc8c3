//! All bounds of the server (law 1: every queue has a bound).
//!
//! The values come from `config/default.toml`; the operator can override each of them. Unit tests run with capacities
//! of 1 (see `Limits::tiny`), so that a design that only works while queues have room fails there.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

/// A time that the settings give in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u64);

/// A time that the settings give in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Milliseconds(pub u64);

impl Seconds {
    /// The time, whatever its unit.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Milliseconds {
    /// The time, whatever its unit.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

/// Bounds, sizes and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Messages in the processor's mailbox. A request that does not fit gets -32001.
    pub processor_mailbox_messages: usize,
    /// Messages in the router's mailbox. When it is full, senders wait.
    pub router_mailbox_messages: usize,
    /// Pending server requests. Further ones are not sent, and their senders receive an error.
    pub pending_server_requests: usize,
    /// Messages in the mailbox of the registry of threads.
    pub threads_mailbox_messages: usize,
    /// Inputs waiting for one loaded thread. Further ones get -32001.
    pub thread_mailbox_messages: usize,
    /// Worker threads that encode large answers about threads.
    pub answer_workers: usize,
    /// Requests waiting for the catalog. Further ones get -32001.
    pub catalog_mailbox_messages: usize,
    /// Worker threads of the catalog, which read projects and write the configuration.
    pub catalog_workers: usize,
    /// Requests waiting for the files actor. Further ones get -32001.
    pub files_mailbox_messages: usize,
    /// Requests waiting for the search actor. Further ones get -32001.
    pub search_mailbox_messages: usize,
    /// Requests waiting for the database. Further ones get -32001.
    pub store_mailbox_messages: usize,
    /// Copies of the database from before changes of its tables that are kept, the newest ones.
    pub database_copies: usize,

    /// Short requests of one connection in flight. At this number the connection is no longer read.
    pub connection_in_flight_requests: usize,
    /// Of those, requests in the processor's mailbox. At this number the connection is no longer read.
    pub connection_waiting_requests: usize,
    /// Long-running requests of one connection. Further ones of this connection get -32001.
    pub connection_long_requests: usize,
    /// Bytes of one connection's short requests in flight, at which it is no longer read, and of its long-running
    /// requests, above which further ones get -32001. A single request may be larger.
    pub connection_in_flight_bytes: usize,
    /// Size in bytes from which a message counts as large and takes its share of [`Self::in_flight_bytes`].
    pub large_message_bytes: usize,
    /// Bytes of large short requests of all connections that are being handled. Further large messages wait, and their
    /// connections are not read meanwhile. Long-running requests have the same amount of their own; above it they get
    /// -32001.
    pub in_flight_bytes: usize,
    /// Bytes of answers that the peer has not read. At this number its connection is no longer read.
    pub connection_unread_bytes: usize,

    /// Time in seconds for the last answers to a peer that has stopped sending.
    pub connection_flush_seconds: Seconds,

    /// Messages queued for one WebSocket peer (its mailbox). Above it the peer is disconnected.
    pub websocket_outbound_messages: usize,
    /// Messages queued for a JSON-lines peer (its mailbox). Above it the peer is disconnected.
    pub stream_outbound_messages: usize,
    /// Bytes queued for one peer. Above it the peer is disconnected.
    pub outbound_bytes: usize,
    /// Bytes queued for one peer from which on pieces of growing text are joined before they are queued for it.
    pub joined_from_bytes: usize,
    /// Time in seconds without progress after which a socket peer with queued messages is disconnected.
    pub outbound_stall_seconds: Seconds,

    /// Largest unfragmented WebSocket frame (RFC 6455 5.2) in bytes, checked by the header.
    pub websocket_frame_bytes: usize,
    /// Largest message in bytes: a reassembled WebSocket message, or a line on stdio.
    pub message_bytes: usize,

    /// Open files that commands and watches leave to connections and to the rest of the server; at most half of those
    /// that the process may have.
    pub reserved_open_files: usize,
    /// Requests waiting for the registry of commands. Further ones get -32001.
    pub commands_mailbox_messages: usize,
    /// Running commands of all connections. Further ones get -32001.
    pub commands_total: usize,
    /// Messages waiting for one command. Further inputs get -32001.
    pub command_mailbox_messages: usize,
    /// Bytes of input that a command has not read. Further input gets -32001.
    pub command_stdin_bytes: usize,
    /// Default cap on each output stream, in bytes (the reference program's).
    pub command_output_bytes: usize,
    /// Maximum stored output of each stream for the result, in bytes.
    pub command_kept_bytes: usize,
    /// Bytes that a client has not read, at which its commands are no longer read. Below half of
    /// [`Self::connection_unread_bytes`], so that a client whose command floods can still end it.
    pub command_unread_bytes: usize,
    /// Default time limit of a command, in seconds (the reference program's).
    pub command_timeout_seconds: Seconds,
    /// Time in seconds between SIGTERM and SIGKILL for a command that is to end.
    pub command_grace_seconds: Seconds,
    /// Bytes of a confined command's shared memory (`/dev/shm`); 0 is a quarter of the machine's memory.
    pub command_shm_bytes: u64,
    /// Processes and threads of one confined command; 0 is no bound. The kernel does not hold root to it.
    pub command_processes: u64,
    /// Bytes of private memory of each process of a command; 0 is no bound.
    pub command_memory_bytes: u64,

    /// Nesting of arrays and objects in a message; deeper ones get -32600. Above 128, the JSON library's own limit
    /// remains for typed params.
    pub json_nesting_levels: usize,
    /// Elements and members of all arrays and objects in a message. Messages with more get -32600, because some JSON
    /// takes many times its length while it is read.
    pub json_values: usize,
    /// Longest request id in bytes; longer ones get -32600.
    pub request_id_bytes: usize,
    /// Bytes of the name, and of the version, that a client gives of itself.
    pub client_info_bytes: usize,
    /// Malformed messages of one WebSocket connection. One more closes it (1008).
    pub malformed_messages: usize,

    /// Time in seconds until a WebSocket peer must be initialized; otherwise it is closed (1008).
    pub initialize_seconds: Seconds,
    /// Silence in seconds after which a WebSocket peer is pinged.
    pub websocket_ping_seconds: Seconds,
    /// Silence in seconds after that ping, after which the peer is closed (1008).
    pub websocket_pong_seconds: Seconds,
    /// Time in seconds for a WebSocket peer to answer a close frame before it is disconnected.
    pub websocket_close_seconds: Seconds,

    /// Worker threads for `fs/*`.
    pub file_workers: usize,
    /// Time in seconds without progress after which a file operation is given up.
    pub file_patience_seconds: Seconds,
    /// Largest file for `fs/readFile` and `fs/writeFile`, in bytes.
    pub file_bytes: usize,
    /// Largest directory for `fs/readDirectory`, in entries.
    pub directory_entries: usize,
    /// File watches (`fs/watch`) of one connection.
    pub file_watches_per_connection: usize,
    /// File watches of all connections.
    pub file_watches: usize,
    /// Paths in one `fs/changed`; with more changes it contains only the watched path.
    pub file_changes: usize,
    /// Time in milliseconds over which changes are collected into one `fs/changed`.
    pub file_change_milliseconds: Milliseconds,

    /// File searches that run at once; more wait.
    pub search_workers: usize,
    /// Directories to search in one request.
    pub search_roots: usize,
    /// Files and directories below one root that a search considers.
    pub search_entries: usize,
    /// Memory for file names between searches, in bytes.
    pub search_cache_bytes: usize,
    /// Results of one search.
    pub search_results: usize,
    /// Search sessions of one connection.
    pub search_sessions_per_connection: usize,

    /// Time in seconds to wait for another program that is writing `config.toml`.
    pub config_lock_seconds: Seconds,
    /// Folders below one root that are looked into for skills.
    pub skill_folders: usize,
    /// Bytes of one `SKILL.md`.
    pub skill_file_bytes: usize,
    /// Bytes of the names and descriptions of skills that a model is told.
    pub skill_list_bytes: usize,
    /// Bytes of the skills that one message of a user puts into a turn.
    pub skill_message_bytes: usize,

    /// Time in seconds for which a loaded thread without subscribers and without work stays in memory.
    pub thread_idle_seconds: Seconds,
    /// Bytes of conversation that an ephemeral thread may keep in memory. What clients add above it (`thread/inject_items`) is
    /// refused; what waits for a turn comes on top.
    pub ephemeral_history_bytes: usize,
}

impl Limits {
    /// [`Self::command_shm_bytes`], unless that is 0.
    pub fn command_shm_bytes(&self) -> Option<u64> {
        unless_zero(self.command_shm_bytes)
    }

    /// [`Self::command_processes`], unless that is 0.
    pub fn command_processes(&self) -> Option<u64> {
        unless_zero(self.command_processes)
    }

    /// [`Self::command_memory_bytes`], unless that is 0.
    pub fn command_memory_bytes(&self) -> Option<u64> {
        unless_zero(self.command_memory_bytes)
    }

    /// Limits for unit tests: every queue has room for one message.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self {
            processor_mailbox_messages: 1,
            router_mailbox_messages: 1,
            pending_server_requests: 1,
            threads_mailbox_messages: 1,
            thread_mailbox_messages: 1,
            answer_workers: 1,
            catalog_mailbox_messages: 1,
            catalog_workers: 1,
            files_mailbox_messages: 1,
            search_mailbox_messages: 1,
            store_mailbox_messages: 1,
            database_copies: 1,
            connection_in_flight_requests: 1,
            connection_waiting_requests: 1,
            connection_long_requests: 1,
            connection_in_flight_bytes: 1,
            large_message_bytes: 1,
            in_flight_bytes: 1,
            connection_unread_bytes: 1,
            connection_flush_seconds: Seconds(1),
            websocket_outbound_messages: 1,
            stream_outbound_messages: 1,
            outbound_bytes: 64 * 1024,
            joined_from_bytes: 1,
            outbound_stall_seconds: Seconds(1),
            websocket_frame_bytes: 1024,
            message_bytes: 2048,
            reserved_open_files: 1,
            commands_mailbox_messages: 1,
            commands_total: 1,
            command_mailbox_messages: 1,
            command_stdin_bytes: 1,
            command_output_bytes: 1,
            command_kept_bytes: 1,
            command_unread_bytes: 1,
            command_timeout_seconds: Seconds(1),
            command_grace_seconds: Seconds(1),
            command_shm_bytes: 1 << 20,
            command_processes: 64,
            command_memory_bytes: 0,
            json_nesting_levels: 16,
            json_values: 1024,
            request_id_bytes: 64,
            client_info_bytes: 64,
            malformed_messages: 1,
            initialize_seconds: Seconds(1),
            websocket_ping_seconds: Seconds(1),
            websocket_pong_seconds: Seconds(1),
            websocket_close_seconds: Seconds(1),
            file_workers: 1,
            file_patience_seconds: Seconds(60),
            file_bytes: 1,
            directory_entries: 1,
            file_watches_per_connection: 1,
            file_watches: 1,
            file_changes: 1,
            file_change_milliseconds: Milliseconds(1),
            search_workers: 1,
            search_roots: 1,
            search_entries: 1,
            search_cache_bytes: 1,
            search_results: 1,
            search_sessions_per_connection: 1,
            config_lock_seconds: Seconds(1),
            skill_folders: 16,
            skill_file_bytes: 1024,
            skill_list_bytes: 1024,
            skill_message_bytes: 1024,
            thread_idle_seconds: Seconds(1),
            ephemeral_history_bytes: 1,
        }
    }
}

fn unless_zero(bound: u64) -> Option<u64> {
    Some(bound).filter(|bound| *bound > 0)
}
