//! Clients that flood are slowed and get every answer; the others notice nothing.

use super::median;
use crate::clients::flood::{Flood, Flooded};
use crate::clients::paced::{Pace, Paced};
use crate::report::Finding;
use crate::served::{BareEcho, SOCKETS};
use crate::support::process::Launch;
use crate::{Result, Size};
use serde_json::json;

const ROUNDS: usize = 5;
/// Requests of the polite client: in each round without a flood, and as many with one.
const POLITE: usize = 1_000;
const PER_SECOND: f64 = 1_000.0;
/// Of the flooder, at once.
const FLOOD: usize = 10_000;
/// Letters of a name that each answer to the flooder contains.
const NAME_LETTERS: usize = 512;
/// Between two reads of a flooder: some 8 MB, or 6,000 answers a second.
const PAUSE_MICROS: u64 = 2_000;

/// One flooder with 10,000 pipelined requests beside a client whose requests are sequential. The same client asks the
/// bare echo beside the same flood: what the flood does to that, it does through the machine and not through the
/// server.
pub fn one_flooder(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let echo = BareEcho::start()?;
    let of_echo = Paced { echo: true, ..Paced::sequential(&echo.door, PER_SECOND, size.of(POLITE)) };
    for (socket, start) in SOCKETS {
        let served = start(Launch::new());
        let mut client = served.server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        client.call("thread/name/set", json!({"threadId": thread, "name": "n".repeat(NAME_LETTERS)}));
        let polite = Paced::sequential(&served.door, PER_SECOND, size.of(POLITE));
        let flood = Flood {
            door: served.door.clone(),
            clients: 1,
            requests: size.of(FLOOD),
            method: "thread/read".to_owned(),
            params: json!({"threadId": thread}).to_string(),
            pause_micros: PAUSE_MICROS,
        };
        polite.clone().measure()?; // warm up
        let (mut refused, mut flooder_refused, mut alone, mut beside, mut ratios, mut echo_ratios) =
            (0, 0, Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..size.of(ROUNDS) {
            let unloaded = polite.clone().measure()?;
            let mut flooder = flood.clone().start()?;
            let loaded: Pace = polite.clone().measure()?;
            let flooded: Flooded = flooder.report()?;
            if flooded.seconds < loaded.seconds {
                eprintln!("the flood was over after {} of {} s", flooded.seconds, loaded.seconds);
            }
            refused += unloaded.refused + loaded.refused;
            flooder_refused += flooded.refused;
            alone.push(unloaded.p99);
            beside.push(loaded.p99);
            ratios.push(loaded.p99 / unloaded.p99);
            let unloaded = of_echo.clone().measure()?;
            let mut flooder = flood.clone().start()?;
            let loaded = of_echo.clone().measure()?;
            flooder.report::<Flooded>()?;
            echo_ratios.push(loaded.p99 / unloaded.p99);
        }
        let name = |what: &str| format!("one flooder, {socket}: {what}");
        findings.extend([
            Finding::count(name("requests of the flooder refused"), flooder_refused).at_most(0.0),
            Finding::count(name("requests of the other refused"), refused).at_most(0.0),
            Finding::new(name("the other's p99 unloaded"), median(alone), "µs"),
            Finding::new(name("the other's p99 beside it"), median(beside), "µs"),
            Finding::new(name("the second / the first"), median(ratios), "×").at_most(1.5),
            Finding::new(name("the same of who asks a bare echo instead"), median(echo_ratios), "×"),
        ]);
    }
    Ok(findings)
}

/// Eight flooders that read as fast as they can, and eight polite clients.
pub fn eight_flooders(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let served = start(Launch::new());
        let flood = Flood {
            door: served.door.clone(),
            clients: 8,
            requests: size.of(50_000),
            method: "thread/loaded/list".to_owned(),
            params: "{}".to_owned(),
            pause_micros: 0,
        };
        let mut flooders = flood.start()?;
        let polite = Paced { connections: 8, window: 8, ..Paced::sequential(&served.door, 1_000.0, size.of(2_000)) };
        let polite = polite.measure()?;
        let flooded: Flooded = flooders.report()?;
        let name = |what: &str| format!("8 flooders, {socket}: {what}");
        findings.extend([
            Finding::new(name("answers a second to them"), flooded.answered as f64 / flooded.seconds / 1e3, "k/s"),
            Finding::count(name("requests of theirs refused"), flooded.refused).at_most(0.0),
            Finding::count(name("of 8 polite clients refused"), polite.refused).at_most(0.0),
            Finding::new(name("p99 of the polite"), polite.p99, "µs"),
        ]);
    }
    Ok(findings)
}
