//! The clients of this tool are quicker than the server: else the other scenarios would show the tool's limits.
//!
//! The same schedule, ever faster, is kept with the bare echo and with the server. The rate up to which it is kept with
//! the echo is what the clients can do at least.

use std::sync::Arc;

use crate::clients::paced::Paced;
use crate::process::{Contestant, Launcher, SOCKET, Transport};
use crate::report::Finding;
use crate::served::{Door, Served};
use crate::support::process::Launch;
use crate::{Result, Size};

/// Requests a second to begin with.
const FIRST: f64 = 50_000.0;
const STEP: f64 = 1.25;
/// How long each rate is kept up.
const SECONDS: f64 = 0.5;
/// A schedule is kept when 99 of 100 answers come within this time. Microseconds.
const IN_TIME: f64 = 10_000.0;

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let home = Arc::new(tempfile::tempdir()?);
    let echo_door = Door::Unix(home.path().join(SOCKET));
    let mut echo = Launcher::new(std::env::current_exe()?)?.start_in(home, Contestant::Echo, Transport::Unix)?;
    // Waits for its door to open.
    drop(echo.connect()?);
    let served = Served::unix(Launch::new());
    let quickest = |door: &Door, echo: bool| -> Result<f64> {
        let (mut kept, mut rate) = (0.0, FIRST);
        loop {
            let seconds = SECONDS / size.of(10) as f64 * 10.0;
            let job =
                Paced { connections: 32, window: 64, echo, ..Paced::sequential(door, rate, (rate * seconds) as usize) };
            let pace = job.measure()?;
            if pace.p99 > IN_TIME || pace.refused > 0 {
                return Ok(kept);
            }
            (kept, rate) = (rate, rate * STEP);
        }
    };
    let clients = quickest(&echo_door, true)?;
    let server = quickest(&served.door, false)?;
    Ok(vec![
        Finding::new("requests on schedule, the bare echo", clients / 1e3, "k/s"),
        Finding::new("requests on schedule, the server", server / 1e3, "k/s"),
        Finding::new("the first / the second", clients / server, "×").at_least(1.5),
    ])
}
