//! The process around the actors: command line, settings, logs, listeners and their HTTP routes, auth, signals.
//!
//! Invariant: this crate knows nothing of threads and turns, and `app_server_actors` knows nothing of listeners.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests know what they open"))]

pub mod admin;
pub mod apply_patch;
pub mod attach;
pub mod auth;
pub mod call;
pub mod chat;
pub mod cli;
pub mod codex_home;
pub mod commands;
pub mod doctor;
pub mod exit;
pub mod generate;
pub mod http;
pub mod in_process;
pub mod listen;
pub mod logging;
pub mod neighbours;
pub mod open_files;
pub mod output;
pub mod own_programs;
pub mod proxy;
pub mod relay;
pub mod remote_control;
pub mod serve;
pub mod server;
pub mod service;
pub mod settings;
pub mod sign_in;
pub mod signals;
pub mod succession;
pub mod supervisor;
pub mod terminal;

pub use app_server_actors::protocol;
