//! A running command: its processes, its pipes or terminal, and its confinement.
//!
//! It is controlled by messages and reports by messages, and does not know its client. Output is handed over piece by
//! piece; the next piece is read only after the previous one was accepted. So a slow receiver slows the command,
//! because a full pipe makes it wait.

pub mod confinement;
mod io;
mod messages;
mod process;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use command_launcher::{Control, Launcher};
use tokio::sync::oneshot;

use crate::context::Context;
use crate::limits::Limits;
use crate::panics::guarded_future;
use io::{Input, Terminal};
use process::{Controls, Process};

pub use messages::{
    CommandId, Ended, Exit, InputRefused, Job, LaunchError, Listener, Output, OutputStream, Resize, Streams,
    TerminalSize, Terminate, Write,
};
pub use process::probe;

/// See the module's documentation.
pub struct Command {
    id: CommandId,
    limits: Arc<Limits>,
    /// The server's own binary.
    launcher: Launcher,
    listener: Listener,
    /// What to run. It arrives after the actor has started; earlier messages wait in the mailbox.
    job: Option<oneshot::Receiver<Job>>,
    running: Option<Running>,
    timed_out: bool,
}

struct Running {
    controls: Controls,
    input: Option<Rc<Input>>,
    terminal: Option<Terminal>,
}

impl Command {
    /// Creates a command that starts when `job` is sent, and never if its sender is dropped.
    pub fn new(
        id: CommandId,
        limits: Arc<Limits>,
        launcher: Launcher,
        listener: Listener,
        job: oneshot::Receiver<Job>,
    ) -> Self {
        Self { id, limits, launcher, listener, job: Some(job), running: None, timed_out: false }
    }

    /// Runs the process, and reports when all its processes have ended.
    fn run(&mut self, process: Process, ctx: &mut Context<Self>) {
        let Process { controls, input, terminal, outputs, child } = process;
        let output = self.listener.output.clone();
        let pumped = process::run(self.id, child, outputs, output);
        let ended = wrap_future::<_, Self>(guarded_future("the output of a command", pumped));
        ctx.spawn(ended.map(|code, command, ctx| {
            let exit = code.ok_or(LaunchError::Lost).map(|code| Exit { code, timed_out: command.timed_out });
            command.report(exit, ctx);
        }));
        if let Some(input) = &input {
            ctx.spawn(wrap_future(input.clone().pump()));
        }
        self.running = Some(Running { controls, input, terminal });
    }

    /// Reports the end and stops the actor.
    fn report(&mut self, exit: Result<Exit, LaunchError>, ctx: &mut Context<Self>) {
        let ended = self.listener.ended.send(Ended { command: self.id, exit });
        ctx.wait(wrap_future::<_, Self>(ended).map(|_, _, ctx: &mut Context<Self>| ctx.stop()));
    }

    /// Sends SIGTERM to all processes, and SIGKILL after a grace period.
    fn end(&self, ctx: &mut Context<Self>) {
        let Some(running) = &self.running else { return };
        running.controls.send(Control::Terminate);
        ctx.run_later(self.limits.command_grace_seconds.duration(), |command, _| {
            if let Some(running) = &command.running {
                running.controls.send(Control::Kill);
            }
        });
    }

    fn limit_time(&mut self, timeout: Duration, ctx: &mut Context<Self>) {
        let is_over = |command: &mut Self, ctx: &mut Context<Self>| {
            command.timed_out = true;
            command.end(ctx);
        };
        // Not a timer, which would fire a moment later, when a short command may have ended.
        if timeout.is_zero() {
            return is_over(self, ctx);
        }
        ctx.run_later(timeout, is_over);
    }
}

impl Actor for Command {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (job, launcher, stdin_bytes) = (self.job.take(), self.launcher.clone(), self.limits.command_stdin_bytes);
        let launched = guarded_future("the start of a command", async move {
            let job = job?.await.ok()?;
            let timeout = job.timeout;
            Some((process::launch(job, &launcher, stdin_bytes).await, timeout))
        });
        ctx.wait(wrap_future::<_, Self>(launched).map(|launched, command, ctx| match launched {
            Some(Some((Ok(process), timeout))) => {
                command.run(process, ctx);
                if let Some(timeout) = timeout {
                    command.limit_time(timeout, ctx);
                }
            }
            Some(Some((Err(error), _))) => command.report(Err(error), ctx),
            // It was never started; the sender knows why.
            Some(None) => ctx.stop(),
            None => command.report(Err(LaunchError::Lost), ctx),
        }));
    }
}

impl Handler<Write> for Command {
    type Result = ();

    fn handle(&mut self, Write { bytes, close, done }: Write, _: &mut Self::Context) {
        let input = self.running.as_ref().and_then(|running| running.input.as_ref());
        let result = input.map_or(Err(InputRefused::Closed), |input| input.push(bytes, close));
        // The sender may be gone.
        let _ = done.send(result);
    }
}

impl Handler<Resize> for Command {
    type Result = ();

    fn handle(&mut self, Resize { size, done }: Resize, _: &mut Self::Context) {
        let terminal = self.running.as_ref().and_then(|running| running.terminal.as_ref());
        let result = terminal.map_or(Ok(()), |terminal| terminal.resize(size));
        // The sender may be gone.
        let _ = done.send(result);
    }
}

impl Handler<Terminate> for Command {
    type Result = ();

    fn handle(&mut self, _: Terminate, ctx: &mut Self::Context) {
        self.end(ctx);
    }
}
