//! A point in a reply that waits for the test.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, eventually};

/// Stands in a reply where a test wants to do something before it goes on. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    reached: AtomicBool,
    open: AtomicBool,
}

impl Gate {
    /// Closed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a reply stands at it.
    pub fn wait(&self) {
        eventually("the reply reaches the gate", || self.0.reached.load(Ordering::SeqCst));
    }

    /// Lets the reply go on.
    pub fn open(&self) {
        self.0.open.store(true, Ordering::SeqCst);
    }

    /// Waits as a reply does, as long as the other side is there.
    pub(super) fn pass(&self, is_open: impl Fn() -> io::Result<()>) -> io::Result<()> {
        self.0.reached.store(true, Ordering::SeqCst);
        let deadline = Instant::now() + PATIENCE;
        while !self.0.open.load(Ordering::SeqCst) {
            is_open()?;
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}
