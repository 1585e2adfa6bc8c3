//! Runs a short program to its end, and keeps what it says of errors.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use crate::command::{
    CommandId, Ended, Exit, LaunchError, Listener, NotRun, Output, OutputStream, Run, Runner, Streams, Write,
};
use crate::context::Context;
use crate::mailbox::start;

/// Bytes of its errors that are kept.
const MOST_BYTES: usize = 64 * 1024;

/// How a program ended, and what it said of errors.
pub(super) struct Collected {
    /// How it ended, or why it did not start.
    pub(super) exit: Result<Exit, LaunchError>,
    /// What it wrote to standard error.
    pub(super) stderr: Vec<u8>,
}

/// Runs a program that reads `stdin`, and returns when it has ended. Give it a timeout. Of its errors at most 64 KiB are
/// kept.
///
/// # Errors
/// It was not run.
pub(super) async fn collect(runner: &Runner, run: Run, stdin: Vec<u8>) -> Result<Collected, NotRun> {
    let (ended, collected) = oneshot::channel();
    let collector = Collector { stderr: Vec::new(), ended: Some(ended) };
    let collector = start(1, collector);
    let listener = Listener {
        output: Arc::new(Addr::clone(&collector).recipient()),
        ended: Arc::new(Addr::clone(&collector).recipient()),
    };
    let command = runner.run(CommandId(0), run, Streams::Pipes { stdin: true }, listener)?;
    let (done, _) = oneshot::channel();
    // An error means that it has ended, which the collector hears.
    let _ = command.send(Write { bytes: stdin, close: true, done }).await;
    let lost = || Collected { exit: Err(LaunchError::Lost), stderr: Vec::new() };
    Ok(collected.await.unwrap_or_else(|_| lost()))
}

struct Collector {
    stderr: Vec<u8>,
    ended: Option<oneshot::Sender<Collected>>,
}

impl Actor for Collector {
    type Context = Context<Self>;
}

impl Handler<Output> for Collector {
    type Result = ();

    fn handle(&mut self, Output { stream, bytes, .. }: Output, _: &mut Self::Context) {
        if stream == OutputStream::Stderr {
            let room = MOST_BYTES - self.stderr.len();
            self.stderr.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

impl Handler<Ended> for Collector {
    type Result = ();

    fn handle(&mut self, Ended { exit, .. }: Ended, _: &mut Self::Context) {
        let stderr = std::mem::take(&mut self.stderr);
        if let Some(ended) = self.ended.take() {
            // Whoever wanted it may be gone.
            let _ = ended.send(Collected { exit, stderr });
        }
    }
}
