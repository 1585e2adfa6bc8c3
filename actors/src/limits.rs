//! All bounds of the server (law 1: every queue has a bound).
//!
//! The values come from `config/default.toml`; the operator can override each of them. Unit tests run with capacities
//! of 1 (see [`Limits::tiny`]), so that a design that only works while queues have room fails there.

use std::time::Duration;

use serde::Deserialize;

/// Bounds, sizes and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Messages in the processor's mailbox; a request that does not fit is answered -32001 (seed: 128).
    pub processor_mailbox_messages: usize,
    /// Messages in the router's mailbox; a sender that finds it full waits until the router has taken its message.
    pub router_mailbox_messages: usize,
    /// Requests of the server that wait for an answer of a client; one more is not sent, and whoever asks is told.
    pub pending_server_requests: usize,
    /// Messages in the mailbox of the threads registry.
    pub threads_mailbox_messages: usize,
    /// Inputs that one loaded thread may have waiting; one more is refused with a clear error.
    pub thread_mailbox_messages: usize,
    /// Questions waiting for the catalog, which reads files; one more is answered -32001.
    pub catalog_mailbox_messages: usize,
    /// Threads of the catalog that look at projects and write the configuration.
    pub catalog_workers: usize,
    /// Requests about files waiting for the actor that sorts them; one more is answered -32001.
    pub files_mailbox_messages: usize,
    /// Searches waiting for the actor that runs them; one more is answered -32001.
    pub search_mailbox_messages: usize,
    /// Questions waiting for the database; one more is refused with a clear error.
    pub store_mailbox_messages: usize,

    /// Short requests of one connection in flight before it stops being read.
    pub connection_in_flight_requests: usize,
    /// Of those, requests of one connection that wait in the processor's mailbox before it stops being read.
    pub connection_waiting_requests: usize,
    /// Long-running requests of one connection at once; one more is answered -32001, to this client only.
    pub connection_long_requests: usize,
    /// Bytes of one connection's short requests in flight before it stops being read, and bytes of its long-running
    /// ones, above which one more is answered -32001. A request alone passes, whatever its size.
    pub connection_in_flight_bytes: usize,
    /// Bytes from which a message counts as large, and takes its part of [`Self::in_flight_bytes`].
    pub large_message_bytes: usize,
    /// Bytes of the large short requests of all connections that are worked on; the next large message waits, and its
    /// connection is not read meanwhile. As many again of long-running ones; one more is answered -32001.
    pub in_flight_bytes: usize,
    /// Bytes of answers that the peer has not read yet before its connection stops being read.
    pub connection_unread_bytes: usize,

    /// Seconds that a connection whose peer sends no more may take until its last answers are written.
    pub connection_flush_seconds: u64,

    /// Messages queued towards one WebSocket peer (its mailbox); one more cuts the peer.
    pub websocket_outbound_messages: usize,
    /// Messages queued towards the stdio or in-process peer (its mailbox); one more cuts the peer.
    pub stream_outbound_messages: usize,
    /// Bytes queued towards one peer; one more cuts the peer.
    pub outbound_bytes: usize,
    /// Seconds without any progress while something is queued towards a socket peer, after which it is cut.
    pub outbound_stall_seconds: u64,

    /// Bytes of one unfragmented WebSocket frame (RFC 6455 5.2); judged from the header.
    pub websocket_frame_bytes: usize,
    /// Bytes of one message: a reassembled WebSocket message, or a line of stdio.
    pub message_bytes: usize,

    /// Requests waiting for the registry of commands; one more is answered -32001.
    pub commands_mailbox_messages: usize,
    /// Commands of all connections that run at once; one more is answered -32001.
    pub commands_total: usize,
    /// Inputs and the like waiting for one command; one more is answered -32001.
    pub command_mailbox_messages: usize,
    /// Bytes waiting for a command to read them; more are answered -32001.
    pub command_stdin_bytes: usize,
    /// Bytes of a stream of output that a client gets unless it says otherwise (the reference program's default).
    pub command_output_bytes: usize,
    /// Bytes of a stream of output that are kept for the result, whatever the client says.
    pub command_kept_bytes: usize,
    /// Bytes that a client has not read yet before commands of its own stop being read. Below half of
    /// [`Self::connection_unread_bytes`], so that a client whose command floods can still say that it is to end.
    pub command_unread_bytes: usize,
    /// Seconds that a command may run unless its client says otherwise (the reference program's default).
    pub command_timeout_seconds: u64,
    /// Seconds between asking a command to end (SIGTERM) and making it (SIGKILL).
    pub command_grace_seconds: u64,

    /// Levels of arrays and objects in one message; one more is refused with -32600. Above 128, the JSON library's own
    /// limit remains for params whose members are read one by one.
    pub json_nesting_levels: usize,
    /// Bytes of a request's id; one more is refused with -32600.
    pub request_id_bytes: usize,
    /// Messages of one WebSocket connection that were no JSON-RPC message; one more closes it (1008).
    pub malformed_messages: usize,

    /// Seconds that a WebSocket peer may take until it is initialized, after which it is closed (1008).
    pub initialize_seconds: u64,
    /// Seconds of silence after which a WebSocket peer is sent a ping.
    pub websocket_ping_seconds: u64,
    /// Seconds after that ping without a sign of life, after which the peer is closed (1008).
    pub websocket_pong_seconds: u64,
    /// Seconds that a WebSocket peer may take to read why it is closed and to close in turn, after which it is cut.
    pub websocket_close_seconds: u64,

    /// Threads that look at files for `fs/*`.
    pub file_workers: usize,
    /// Seconds without progress after which work on files is given up: the client is told, and another worker takes over.
    pub file_patience_seconds: u64,
    /// Bytes of a file that one `fs/readFile` or `fs/writeFile` moves.
    pub file_bytes: usize,
    /// Entries of a directory that one `fs/readDirectory` lists.
    pub directory_entries: usize,
    /// Watches of one connection (`fs/watch`).
    pub file_watches_per_connection: usize,
    /// Watches of all connections.
    pub file_watches: usize,
    /// Paths in one `fs/changed`; of more only the watched path is told.
    pub file_changes: usize,
    /// Milliseconds for which changes are collected before `fs/changed` tells them.
    pub file_change_milliseconds: u64,

    /// Searches for files that run at once; more wait.
    pub search_workers: usize,
    /// Directories that one search looks through.
    pub search_roots: usize,
    /// Files and directories below one root that a search considers.
    pub search_entries: usize,
    /// Bytes of names kept between searches, of all roots together.
    pub search_cache_bytes: usize,
    /// Best results that a search tells.
    pub search_results: usize,
    /// Search sessions of one connection.
    pub search_sessions_per_connection: usize,

    /// Seconds to wait for another program that writes `config.toml`.
    pub config_lock_seconds: u64,

    /// Seconds that a loaded thread without subscribers and without work stays in memory.
    pub thread_idle_seconds: u64,
}

impl Limits {
    /// [`Self::outbound_stall_seconds`] as a duration.
    pub fn outbound_stall(&self) -> Duration {
        Duration::from_secs(self.outbound_stall_seconds)
    }

    /// [`Self::connection_flush_seconds`] as a duration.
    pub fn connection_flush(&self) -> Duration {
        Duration::from_secs(self.connection_flush_seconds)
    }

    /// [`Self::command_timeout_seconds`] as a duration.
    pub fn command_timeout(&self) -> Duration {
        Duration::from_secs(self.command_timeout_seconds)
    }

    /// [`Self::command_grace_seconds`] as a duration.
    pub fn command_grace(&self) -> Duration {
        Duration::from_secs(self.command_grace_seconds)
    }

    /// [`Self::initialize_seconds`] as a duration.
    pub fn initialize(&self) -> Duration {
        Duration::from_secs(self.initialize_seconds)
    }

    /// [`Self::websocket_ping_seconds`] as a duration.
    pub fn websocket_ping(&self) -> Duration {
        Duration::from_secs(self.websocket_ping_seconds)
    }

    /// [`Self::websocket_pong_seconds`] as a duration.
    pub fn websocket_pong(&self) -> Duration {
        Duration::from_secs(self.websocket_pong_seconds)
    }

    /// [`Self::websocket_close_seconds`] as a duration.
    pub fn websocket_close(&self) -> Duration {
        Duration::from_secs(self.websocket_close_seconds)
    }

    /// [`Self::file_patience_seconds`] as a duration.
    pub fn file_patience(&self) -> Duration {
        Duration::from_secs(self.file_patience_seconds)
    }

    /// [`Self::file_change_milliseconds`] as a duration.
    pub fn file_change(&self) -> Duration {
        Duration::from_millis(self.file_change_milliseconds)
    }

    /// [`Self::config_lock_seconds`] as a duration.
    pub fn config_lock(&self) -> Duration {
        Duration::from_secs(self.config_lock_seconds)
    }

    /// [`Self::thread_idle_seconds`] as a duration.
    pub fn thread_idle(&self) -> Duration {
        Duration::from_secs(self.thread_idle_seconds)
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
            catalog_mailbox_messages: 1,
            catalog_workers: 1,
            files_mailbox_messages: 1,
            search_mailbox_messages: 1,
            store_mailbox_messages: 1,
            connection_in_flight_requests: 1,
            connection_waiting_requests: 1,
            connection_long_requests: 1,
            connection_in_flight_bytes: 1,
            large_message_bytes: 1,
            in_flight_bytes: 1,
            connection_unread_bytes: 1,
            connection_flush_seconds: 1,
            websocket_outbound_messages: 1,
            stream_outbound_messages: 1,
            outbound_bytes: 64 * 1024,
            outbound_stall_seconds: 1,
            websocket_frame_bytes: 1024,
            message_bytes: 2048,
            commands_mailbox_messages: 1,
            commands_total: 1,
            command_mailbox_messages: 1,
            command_stdin_bytes: 1,
            command_output_bytes: 1,
            command_kept_bytes: 1,
            command_unread_bytes: 1,
            command_timeout_seconds: 1,
            command_grace_seconds: 1,
            json_nesting_levels: 16,
            request_id_bytes: 64,
            malformed_messages: 1,
            initialize_seconds: 1,
            websocket_ping_seconds: 1,
            websocket_pong_seconds: 1,
            websocket_close_seconds: 1,
            file_workers: 1,
            file_patience_seconds: 60,
            file_bytes: 1,
            directory_entries: 1,
            file_watches_per_connection: 1,
            file_watches: 1,
            file_changes: 1,
            file_change_milliseconds: 1,
            search_workers: 1,
            search_roots: 1,
            search_entries: 1,
            search_cache_bytes: 1,
            search_results: 1,
            search_sessions_per_connection: 1,
            config_lock_seconds: 1,
            thread_idle_seconds: 1,
        }
    }
}
