//! A program that is told something and answers, again and again.

use std::sync::Arc;

use actix::prelude::*;
use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::{mpsc, oneshot};

use crate::command::{
    Command, CommandId, Ended, Listener, NotRun, Output, OutputStream, Run, Runner, Streams, Terminate, Write,
};
use crate::context::Context;
use crate::mailbox::start;

/// A program that runs. It is ended when this is dropped.
pub(super) struct Dialogue {
    command: Arc<Addr<Command>>,
    /// Closed at its end.
    output: mpsc::Receiver<Bytes>,
    /// What was not asked for yet.
    rest: BytesMut,
}

/// The program has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program has ended")]
pub(super) struct HasEnded;

impl Dialogue {
    /// Starts a program. What it writes waits until it is asked for; what it says of errors is not kept.
    ///
    /// # Errors
    /// It was not run. Where it cannot be started, it [`HasEnded`].
    pub(super) fn start(runner: &Runner, run: Run) -> Result<Self, NotRun> {
        let (told, output) = mpsc::channel(1);
        let ear = start(1, Ear { told: Some(told) });
        let listener = Listener {
            output: Arc::new(Addr::clone(&ear).recipient()),
            ended: Arc::new(Addr::clone(&ear).recipient()),
        };
        let command = runner.run(CommandId(0), run, Streams::Pipes { stdin: true }, listener)?;
        Ok(Self { command, output, rest: BytesMut::new() })
    }

    /// Tells it something.
    pub(super) async fn say(&self, bytes: &[u8]) -> Result<(), HasEnded> {
        let (done, queued) = oneshot::channel();
        let write = Write { bytes: bytes.to_vec(), close: false, done };
        self.command.send(write).await.map_err(|_| HasEnded)?;
        queued.await.map_err(|_| HasEnded)?.map_err(|_| HasEnded)
    }

    /// The next line that it writes, without its end. `None` if that is longer than `most` bytes.
    pub(super) async fn line(&mut self, most: usize) -> Result<Option<Bytes>, HasEnded> {
        loop {
            if let Some(end) = self.rest.iter().take(most + 1).position(|byte| *byte == b'\n') {
                let line = self.rest.split_to(end).freeze();
                self.rest.advance(1);
                return Ok(Some(line));
            }
            if self.rest.len() > most {
                return Ok(None);
            }
            self.hear().await?;
        }
    }

    /// The next `count` bytes that it writes.
    pub(super) async fn bytes(&mut self, count: usize) -> Result<Bytes, HasEnded> {
        while self.rest.len() < count {
            self.hear().await?;
        }
        Ok(self.rest.split_to(count).freeze())
    }

    async fn hear(&mut self) -> Result<(), HasEnded> {
        let bytes = self.output.recv().await.ok_or(HasEnded)?;
        self.rest.extend_from_slice(&bytes);
        Ok(())
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // Nobody else sends to it, and what was sent before was taken: there is room, or it has ended.
        let _ = self.command.try_send(Terminate);
    }
}

/// Hears what the program says.
struct Ear {
    told: Option<mpsc::Sender<Bytes>>,
}

impl Actor for Ear {
    type Context = Context<Self>;
}

impl Handler<Output> for Ear {
    /// The program writes no more until it was heard.
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Output { stream, bytes, .. }: Output, _: &mut Self::Context) -> Self::Result {
        let told = self.told.clone().filter(|_| stream == OutputStream::Stdout);
        Box::pin(async move {
            if let Some(told) = told {
                // Where nobody listens any more, the program is about to be ended.
                let _ = told.send(bytes).await;
            }
        })
    }
}

impl Handler<Ended> for Ear {
    type Result = ();

    fn handle(&mut self, Ended { exit, .. }: Ended, _: &mut Self::Context) {
        if let Err(error) = exit {
            log::debug!("a program of this server did not run: {error}");
        }
        self.told = None;
    }
}
