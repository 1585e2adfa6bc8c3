//! A hundred thousand clients come and go, and nothing of them stays.

use std::time::Duration;

use crate::clients::churn::Churn;
use crate::report::Finding;
use crate::served::SOCKETS;
use crate::support::process::Launch;
use crate::{Result, Size};

/// Before anything is compared: allocators and tables have then reached their size.
const WARM_UP: usize = 10_000;
const CYCLES: usize = 100_000;
/// Memory that may be kept, of all cycles together: no task and no connection is as small as 20 bytes.
const SLACK: f64 = 20.0 * CYCLES as f64;
const LIMIT: Duration = Duration::from_secs(5);

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let served = start(Launch::new());
        let churn = |cycles: usize, address: u8| Churn { door: served.door.clone(), cycles, address }.measure();
        churn(size.of(WARM_UP), 1)?;
        std::thread::sleep(Duration::from_millis(500));
        let before = served.gauges()?;
        let cycles = size.of(CYCLES);
        let churned = churn(cycles, 2)?;
        let (after, _) = before.back_at(0.0, served.id(), LIMIT)?;
        let name = |what: &str| format!("{cycles} clients come and go, {socket}: {what}");
        findings.extend([
            Finding::new(name("of them a second"), cycles as f64 / churned.seconds, ""),
            Finding::new(name("memory kept"), (after.resident - before.resident) / 1024.0, "KiB")
                .at_most(SLACK / 1024.0),
            Finding::count(name("descriptors kept"), after.descriptors.saturating_sub(before.descriptors)).at_most(0.0),
            Finding::count(name("threads kept"), after.threads.saturating_sub(before.threads)).at_most(0.0),
        ]);
    }
    Ok(findings)
}
