//! Where figures come from, without which they mean nothing.

use std::fmt;
use std::fs;

use serde::Serialize;

/// The system, and how busy it was.
#[derive(Serialize)]
pub struct Machine {
    system: String,
    cores: usize,
    /// Processes that wanted a core (mean of a minute) before the run and after it.
    load_before: String,
    load_after: String,
}

impl Machine {
    /// This machine as it is before anything is measured.
    pub fn before_the_run() -> Self {
        let system = rustix::system::uname();
        let words = [system.sysname(), system.release(), system.machine()].map(|word| word.to_string_lossy());
        Self {
            system: words.join(" "),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load_before: load(),
            load_after: String::new(),
        }
    }

    /// Everything is measured.
    pub fn after_the_run(&mut self) {
        self.load_after = load();
    }

    /// More processes than cores wanted to run before the run began. Medians of turns bear much, but not everything.
    pub fn is_busy(&self) -> bool {
        self.load_before.parse::<f64>().is_ok_and(|load| load > self.cores as f64)
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, cores, load_before, load_after } = self;
        write!(formatter, "{system}, {cores} cores, load {load_before} → {load_after}")
    }
}

fn load() -> String {
    let averages = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    averages.split(' ').next().filter(|load| !load.is_empty()).unwrap_or("unknown").to_owned()
}
