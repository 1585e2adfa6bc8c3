//! Runs a short program to its end, and keeps what it says.

use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::messages::{CommandId, Ended, Exit, LaunchError, Listener, Output, OutputStream, Streams, Write};
use super::runner::{NotRun, Run, Runner};
use crate::context::Context;
use crate::mailbox::start;

/// Bytes of its errors that are kept.
const MOST_BYTES: usize = 64 * 1024;

/// What a program said, and how it ended.
pub struct Collected {
    /// How it ended, or why it did not start.
    pub exit: Result<Exit, LaunchError>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Runner {
    /// Runs a program that reads `stdin`, and returns when it has ended. Give it a timeout. Of each output at most 64 KiB
    /// are kept.
    ///
    /// # Errors
    /// It was not run.
    pub async fn collect(&self, run: Run, stdin: Vec<u8>) -> Result<Collected, NotRun> {
        let (ended, collected) = oneshot::channel();
        let collector = Collector { stdout: Vec::new(), stderr: Vec::new(), ended: Some(ended) };
        let collector = start(1, collector);
        let listener = Listener {
            output: Arc::new(Addr::clone(&collector).recipient()),
            ended: Arc::new(Addr::clone(&collector).recipient()),
        };
        let command = self.run(CommandId(0), run, Streams::Pipes { stdin: true }, listener)?;
        let (done, _) = oneshot::channel();
        // An error means that it has ended, which the collector hears.
        let _ = command.send(Write { bytes: stdin, close: true, done }).await;
        let lost = || Collected { exit: Err(LaunchError::Lost), stdout: Vec::new(), stderr: Vec::new() };
        Ok(collected.await.unwrap_or_else(|_| lost()))
    }
}

struct Collector {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    ended: Option<oneshot::Sender<Collected>>,
}

impl Actor for Collector {
    type Context = Context<Self>;
}

impl Handler<Output> for Collector {
    type Result = ();

    fn handle(&mut self, Output { stream, bytes, .. }: Output, _: &mut Self::Context) {
        let kept = match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        };
        let room = MOST_BYTES - kept.len();
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Handler<Ended> for Collector {
    type Result = ();

    fn handle(&mut self, Ended { exit, .. }: Ended, _: &mut Self::Context) {
        let (stdout, stderr) = (std::mem::take(&mut self.stdout), std::mem::take(&mut self.stderr));
        if let Some(ended) = self.ended.take() {
            // Whoever wanted it may be gone.
            let _ = ended.send(Collected { exit, stdout, stderr });
        }
    }
}
