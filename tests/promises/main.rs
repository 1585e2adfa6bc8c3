//! What the server promises, one file each, checked from outside over the real binary.

#[path = "../support/mod.rs"]
mod support;

mod errors;
mod experimental;
mod garbage;
mod handshake;
mod notifications;
mod pipelining;
mod request_ids;
mod thread_errors;
mod thread_life;
mod thread_list;
mod thread_start;
mod two_clients;
