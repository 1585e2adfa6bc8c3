//! What the kernel says a process uses. Linux only, like the files it is read from.

use std::fs;
use std::time::{Duration, Instant};

use crate::Result;

/// Measures what a server and its clients use during a stretch of time.
pub struct Meter {
    processes: [u32; 2],
    start: Instant,
    before: [Duration; 2],
}

/// Seconds that passed, and seconds of processor time that were used meanwhile.
#[derive(Clone, Copy, Default)]
pub struct Used {
    /// On the clock.
    pub seconds: f64,
    /// By the server.
    pub server: f64,
    /// By its clients, all of them in this process.
    pub clients: f64,
}

impl Meter {
    /// Starts to measure a server and its clients.
    pub fn start(processes: [u32; 2]) -> Result<Self> {
        Ok(Self { processes, start: Instant::now(), before: processor_times(processes)? })
    }

    /// What was used since the start.
    pub fn used(&self) -> Result<Used> {
        let seconds = self.start.elapsed().as_secs_f64();
        let [server, clients] = processor_times(self.processes)?;
        let since = |now: Duration, before| now.saturating_sub(before).as_secs_f64();
        Ok(Used { seconds, server: since(server, self.before[0]), clients: since(clients, self.before[1]) })
    }
}

impl std::ops::AddAssign for Used {
    fn add_assign(&mut self, more: Self) {
        self.seconds += more.seconds;
        self.server += more.server;
        self.clients += more.clients;
    }
}

/// Processor time of all threads of each process, to the nanosecond (the clock of `/proc/PID/stat` has ticks of 10 ms).
fn processor_times([first, second]: [u32; 2]) -> Result<[Duration; 2]> {
    let of = |process: u32| -> Result<Duration> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{process}/task"))? {
            // A thread that has just ended is not there any more, and its time is lost.
            if let Ok(times) = fs::read_to_string(task?.path().join("schedstat")) {
                nanoseconds += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
            }
        }
        Ok(Duration::from_nanos(nanoseconds))
    };
    Ok([of(first)?, of(second)?])
}

/// The unit of the times in `/proc/PID/stat`, which Linux keeps for programs whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// Seconds of processor time that a process has used, and those of its children that it has reaped. This
/// clock has ticks of 10 ms, so it is for stretches of seconds.
pub fn family_seconds(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // Behind the name, which may hold anything: utime, stime, cutime and cstime are the fields 14 to 17 of proc(5).
    let (_, rest) = stat.rsplit_once(')').ok_or("no process name")?;
    let ticks = rest.split_whitespace().skip(11).take(4).map(str::parse::<u64>).sum::<std::result::Result<u64, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

/// Bytes of memory that a process has resident.
pub fn resident_bytes(process: u32) -> Result<u64> {
    memory(process, "VmRSS:")
}

/// Those of them that belong to no file: what it has allocated.
pub fn allocated_bytes(process: u32) -> Result<u64> {
    memory(process, "RssAnon:")
}

fn memory(process: u32, name: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("the kernel does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
