//! The promises of the server, one file each, tested from outside with the real binary.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

#[path = "../support/mod.rs"]
mod support;

mod auth_flags;
mod auth_guessing;
mod auth_jwt;
mod auth_rotation;
mod auth_token;
mod call;
mod command_line;
mod commands;
mod commands_attempts;
mod commands_confined;
mod commands_ending;
mod commands_environment;
mod commands_paths;
mod commands_policy;
mod commands_way_back;
mod config_write;
mod conformance;
mod connection_limits;
mod database;
mod departures;
mod doctor;
mod errors;
mod experimental;
mod file_search;
mod files;
mod foreign_files;
mod frames;
mod garbage;
mod handshake;
mod hostile_peers;
mod hosts;
mod large_histories;
mod logs;
mod model_calls;
mod notifications;
mod overload;
mod persistence;
mod pipelines;
mod pipelining;
mod proxy_ends;
mod proxy_jsonl;
mod proxy_raw;
mod remote_commands;
mod remote_control_start;
mod remote_control_wish;
mod remote_envelopes;
mod remote_faults;
mod remote_pairing;
mod remote_streams;
mod request_ids;
mod schema;
mod scopes;
mod settings;
mod shutdown;
mod slow_clients;
mod start_up_questions;
mod state_files;
mod stdio;
mod stdio_pressure;
mod tcp_http;
mod thread_errors;
mod thread_life;
mod thread_list;
mod thread_start;
mod turns;
mod two_clients;
mod unix_socket;
mod unix_start;
mod unread_stderr;
mod watch;
