//! Ten thousand clients that wait, hear one thing, and vanish together.

use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use serde_json::json;

use crate::clients::gathering::{Gathering, Heard};
use crate::gauges::MIB;
use crate::report::Finding;
use crate::served::SOCKETS;
use crate::support::process::Launch;
use crate::{Result, Size};

const CLIENTS: usize = 10_000;
/// Descriptors that a server has besides two for each client.
const OTHER_DESCRIPTORS: u64 = 200;
/// In which everything must be back at the start,
const LIMIT: Duration = Duration::from_secs(5);
/// memory up to this: what the lists of what there was keep.
const SLACK: f64 = 2.0 * MIB;

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let served = start(Launch::new().env("RUST_LOG", "info"));
        let limit = getrlimit(Resource::Nofile);
        if limit.current != limit.maximum {
            served
                .server
                .process
                .stderr
                .wait_for("the raised limit", |said| said.contains("raised the limit of open files").then_some(()));
        }
        let most = limit.maximum.map_or(u64::MAX, |limit| limit - OTHER_DESCRIPTORS) as usize / 2;
        let clients = size.of(CLIENTS).min(most);
        let mut steady = served.server.client();
        let thread = steady.call("thread/start", json!({}))["thread"]["id"].take();
        steady.call("thread/name/set", json!({"threadId": thread, "name": "before"}));
        let before = served.gauges()?;

        let mut gathering = Gathering { door: served.door.clone(), clients }.start()?;
        let during = served.gauges()?;
        steady.call("thread/name/set", json!({"threadId": thread, "name": "to all"}));
        let Heard::Told { millis } = gathering.report()? else { return Err("they were not told".into()) };
        let told = served.gauges()?;
        gathering.kill()?;
        let (after, took) = before.back_at(SLACK, served.id(), LIMIT)?;
        steady.call("thread/read", json!({"threadId": thread}));

        let name = |what: &str| format!("{clients} idle clients, {socket}: {what}");
        let each = |bytes: f64| (bytes - before.resident) / clients as f64 / 1024.0;
        findings.extend([
            Finding::new(name("memory for each"), each(during.resident), "KiB").at_most(20.0),
            Finding::new(name("the same after a broadcast"), each(told.resident), "KiB").at_most(20.0),
            Finding::new(name("all are told within"), millis, "ms"),
            Finding::new(name("memory before"), before.resident / MIB, "MiB"),
            Finding::new(name("memory kept after all were killed"), (after.resident - before.resident) / MIB, "MiB")
                .at_most(SLACK / MIB),
            Finding::count(name("descriptors kept"), after.descriptors.saturating_sub(before.descriptors)).at_most(0.0),
            Finding::new(name("back after"), took.as_secs_f64(), "s").at_most(LIMIT.as_secs_f64()),
        ]);
    }
    Ok(findings)
}
