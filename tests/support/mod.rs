//! What every promise needs: a real server in a home of its own, and clients that reach it over any transport.
//!
//! Every wait ends after [`PATIENCE`], whatever else comes meanwhile; and a process that lives for longer than any test
//! may take is ended, with whatever waits for it. A promise that is not kept fails, it never hangs.

pub mod agent;
pub mod aside;
pub mod backend;
pub mod client;
mod collected;
pub mod compatible;
pub mod conformance;
pub mod frames;
pub mod home;
pub mod http;
pub mod in_process;
pub mod issuer;
pub mod mcp;
mod memory;
pub mod model;
pub mod process;
pub mod proxied;
pub mod relay;
pub mod remote;
pub mod schemas;
pub mod secrets;
pub mod server;
pub mod terminal;
pub mod transports;
pub mod tunnels;
pub mod wire;

use std::time::{Duration, Instant};

/// How long an answer, a notification, a start or an exit may take on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `ready` until it says so; only for states that announce themselves in no other way.
pub fn eventually(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !ready() {
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Asserts that `text` names these members of an object, in this order.
pub fn assert_order(text: &str, members: &[&str]) {
    let mut rest = text;
    for member in members {
        let place = rest.find(&format!("\"{member}\":"));
        rest = &rest[place.unwrap_or_else(|| panic!("{member} is missing or out of order in {text}"))..];
    }
}
