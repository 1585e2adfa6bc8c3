//! The actors of codex-app-server. This crate handles messages and frames; it has no listeners, no HTTP routes and no
//! command line.
//!
//! ```text
//!  stdin/stdout ─┐                                                        ┌──▶ Turn ──▶ model
//!  unix socket ──┤  Connection ──try_send──▶ Processor ──▶ Threads ──▶ Thread
//!  TCP ws ───────┤   (1 per      ◀─hand over─ Router ◀────────┴──────────┤
//!  remote stream ┤    client)                   ▲                        ▼
//!  in-process ───┘                              ├── Catalog ◀───────── Store
//!                                               ├── Commands ◀──▶ Command
//!                                               └── RemoteControl ──▶ RemoteLink, Store, Catalog
//! ```
//!
//! Requests travel from left to right. Answers and notifications go to the [`router`], which hands them to connections
//! and never waits for one. An actor awaits another only along an arrow that points right or to the router, so no cycle
//! of waiting can form; unit tests run with mailboxes for one message to prove it. A [`turn`] waits until its thread has
//! told what it reports; the thread never waits for a turn, which takes its messages without waiting for anything.
//!
//! | actor | owns | who sends to it | bound of its mailbox, and what happens at it |
//! |---|---|---|---|
//! | [`connection`] | one client's wire, its requests in flight | the router | [`Limits::websocket_outbound_messages`]: the router disconnects the peer |
//! | [`processor`] | sessions: which connections are initialized, and what they may call | connections | [`Limits::processor_mailbox_messages`]: the client gets -32001 at once |
//! | [`router`] | recipients, outbound queues, kill handles, subscriptions | all actors | [`Limits::router_mailbox_messages`]: the sender pauses |
//! | [`threads`] | which threads are loaded | the processor | [`Limits::threads_mailbox_messages`]: the processor pauses |
//! | [`thread`] | one loaded thread: its settings, and the turn in progress as clients see it | the registry, its turn | [`Limits::thread_mailbox_messages`]: the sender waits |
//! | [`turn`] | one running turn: the conversation as the model sees it | its thread | [`TurnLimits::waiting_messages`]: -32001 |
//! | `mcp::server` | one MCP server of a thread: its process or its connection | turns, the registry | a constant: the sender waits |
//! | [`store`] | the database | the registry | [`Limits::store_mailbox_messages`]: a clear error |
//! | [`catalog`] | configuration, account, models | the processor, the registry | [`Limits::catalog_mailbox_messages`]: -32001 |
//! | [`commands`] | which commands run, and for whom | the processor, commands | [`Limits::commands_mailbox_messages`]: -32001; a command waits |
//! | [`command`] | one running command: its processes, its streams | the registry of commands | [`Limits::command_mailbox_messages`]: -32001 |
//! | [`files`] | the watches, and the order of each client's requests | the processor | [`Limits::files_mailbox_messages`]: -32001 |
//! | [`search`] | search sessions, cached directory trees | the processor | [`Limits::search_mailbox_messages`]: -32001 |
//! | [`remote_control`] | the status of remote control, the enrollment, the server token | the processor, the link | [`RemoteControlSettings::mailbox_messages`]: -32001 |
//! | [`remote_link`] | the one socket to the backend, the streams on it | remote control | [`RemoteLinkLimits::mailbox_messages`]: remote control waits |
//! | [`relay`] | accounts, servers and devices of a relay, and who may speak to whom | routes | [`RelaySettings::mailbox_messages`]: 503 |
//! | `relay::server_link` | one server's socket and the streams on it | the relay, controllers | [`RelaySettings::link_mailbox_messages`]: sockets are not read meanwhile |
//! | `relay::controller` | one phone's socket | its reader | a constant: the phone is not read meanwhile |
//!
//! [`start`] starts them. Connections, processor, router, registry and threads share one arbiter, the hub's, on which
//! nothing blocks. The store, the catalog, files and search access files and have arbiters of their own. All commands
//! share one with their registry, because encoding their output takes time; all turns share one, and all MCP servers.
//! Remote control and the link share one, too; the streams on the link are connections on the hub's arbiter, like those of local
//! clients.
//!
//! [`Limits::websocket_outbound_messages`]: limits::Limits::websocket_outbound_messages
//! [`Limits::processor_mailbox_messages`]: limits::Limits::processor_mailbox_messages
//! [`Limits::router_mailbox_messages`]: limits::Limits::router_mailbox_messages
//! [`Limits::threads_mailbox_messages`]: limits::Limits::threads_mailbox_messages
//! [`Limits::thread_mailbox_messages`]: limits::Limits::thread_mailbox_messages
//! [`TurnLimits::waiting_messages`]: turn::TurnLimits::waiting_messages
//! [`Limits::store_mailbox_messages`]: limits::Limits::store_mailbox_messages
//! [`Limits::catalog_mailbox_messages`]: limits::Limits::catalog_mailbox_messages
//! [`Limits::commands_mailbox_messages`]: limits::Limits::commands_mailbox_messages
//! [`Limits::command_mailbox_messages`]: limits::Limits::command_mailbox_messages
//! [`Limits::files_mailbox_messages`]: limits::Limits::files_mailbox_messages
//! [`Limits::search_mailbox_messages`]: limits::Limits::search_mailbox_messages
//! [`RemoteControlSettings::mailbox_messages`]: remote_control::RemoteControlSettings::mailbox_messages
//! [`RelaySettings::mailbox_messages`]: relay::RelaySettings::mailbox_messages
//! [`RelaySettings::link_mailbox_messages`]: relay::RelaySettings::link_mailbox_messages
//! [`RemoteLinkLimits::mailbox_messages`]: remote_link::RemoteLinkLimits::mailbox_messages

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

pub mod account;
pub mod approval;
pub mod backoff;
mod cached_file;
pub mod catalog;
pub mod clock;
pub mod command;
pub mod commands;
pub mod connection;
mod context;
mod descriptors;
mod desk;
pub mod encode;
pub mod environment;
pub mod files;
pub mod host;
pub mod http;
pub mod hub;
pub mod limits;
mod mailbox;
pub mod mcp;
pub mod metrics;
pub mod model;
pub mod network;
pub mod panics;
pub mod patch;
pub mod post;
pub mod processor;
mod project;
pub mod protocol;
pub mod relay;
pub mod remote_control;
pub mod remote_link;
pub mod replace;
pub mod reply;
pub mod router;
pub mod search;
pub mod skills;
pub mod start;
pub mod store;
pub mod thread;
pub mod threads;
pub mod times;
pub mod traces;
pub mod turn;
pub mod vital;
pub mod wire;
pub mod work_tree;
mod workers;
