//! Long requests of one client do not hold up the short ones of another.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::median;
use crate::clients::paced::Paced;
use crate::report::Finding;
use crate::served::SOCKETS;
use crate::support::process::Launch;
use crate::{Result, Size};

const ROUNDS: usize = 5;
/// `limits.connection_long_requests`.
const LONG: usize = 64;

/// For the commands to start, and to end: that takes processor time, and this is about those that run.
const SETTLE: Duration = Duration::from_secs(1);

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let served = start(Launch::new());
        let short = Paced::sequential(&served.door, 1_000.0, size.of(1_000));
        short.clone().measure()?; // warm up
        let (mut ratios, mut refused) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            thread::sleep(SETTLE);
            let alone = short.clone().measure()?;
            let mut busy = served.server.client();
            let sleep = json!({"command": ["sleep", "30"], "timeoutMs": 60_000});
            for _ in 0..LONG {
                busy.send_request("command/exec", sleep.clone());
            }
            let one_more = busy.refusal("command/exec", sleep);
            if one_more.code != -32001 {
                return Err(format!("the {}th long request: {one_more:?}", LONG + 1).into());
            }
            thread::sleep(SETTLE);
            let beside = short.clone().measure()?;
            refused += alone.refused + beside.refused;
            ratios.push(beside.p99 / alone.p99);
        }
        let name = |what: &str| format!("64 long requests of one client, {socket}: {what}");
        findings.extend([
            Finding::count(name("short ones of another refused"), refused).at_most(0.0),
            Finding::new(name("their p99 / the same without"), median(ratios), "×").at_most(1.5),
        ]);
    }
    Ok(findings)
}
