//! What a server holds at a moment, as the kernel sees it. Linux only.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Result;
use crate::usage::resident_bytes;

/// Memory and descriptors of a process.
#[derive(Clone, Copy, Debug)]
pub struct Gauges {
    /// Bytes.
    pub resident: f64,
    pub descriptors: usize,
    pub threads: usize,
}

impl Gauges {
    /// Those of `process` now.
    pub fn of(process: u32) -> Result<Self> {
        let count = |what: &str| -> Result<usize> { Ok(fs::read_dir(format!("/proc/{process}/{what}"))?.count()) };
        Ok(Self { resident: resident_bytes(process)? as f64, descriptors: count("fd")?, threads: count("task")? })
    }

    /// Those of `process` as soon as they are back at what they were (memory within `slack` bytes), or when `limit` has
    /// passed; and how long that took.
    pub fn back_at(self, slack: f64, process: u32, limit: Duration) -> Result<(Self, Duration)> {
        let start = Instant::now();
        loop {
            let now = Self::of(process)?;
            let back = now.resident <= self.resident + slack && now.descriptors <= self.descriptors;
            if back || start.elapsed() > limit {
                return Ok((now, start.elapsed()));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Watches the memory of a process until asked for the most it had.
pub struct Peak {
    stop: Arc<AtomicBool>,
    watcher: JoinHandle<f64>,
}

impl Peak {
    /// Starts to watch.
    pub fn of(process: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let watcher = thread::spawn(move || {
            let mut most = 0.0_f64;
            while !stopped.load(Ordering::Relaxed) {
                // A process that has ended holds nothing more.
                let Ok(bytes) = resident_bytes(process) else { break };
                most = most.max(bytes as f64);
                thread::sleep(Duration::from_millis(5));
            }
            most
        });
        Self { stop, watcher }
    }

    /// Bytes.
    pub fn most(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        self.watcher.join().expect("the watcher does not panic")
    }
}

/// 2^20 bytes.
pub const MIB: f64 = 1024.0 * 1024.0;
