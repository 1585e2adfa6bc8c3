//! Runs commands. The [`Runner`] is the entry for everybody who wants one run: it knows this machine, and translates a
//! command and the rules of a thread into the launcher's order.
//!
//! A [`Command`] is a running command: its processes, and its pipes or terminal. It is controlled by messages and reports
//! by messages, and does not know its client. Output is handed over piece by piece; the next piece is read only after the
//! previous one was accepted. So a slow receiver slows the command, because a full pipe makes it wait.

mod confinement;
mod environment;
mod io;
mod messages;
mod process;
mod runner;

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use command_launcher::{Control, Launcher};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::descriptors;
use crate::limits::Limits;
use crate::panics::guarded_future;
use io::{Input, Source, Terminal};
use process::{Controls, Plumbing};

pub use environment::EnvironmentPolicy;
pub use messages::{
    CommandId, Ended, Exit, Feed, InputRefused, Job, LaunchError, Listener, Output, OutputStream, Resize, Streams,
    TerminalSize, Terminate, Write,
};
pub use process::probe;
pub use runner::{CommandSetup, NotRun, Rules, Run, Runner, Waiting};

/// How long each further step waits when a command does not end although it was killed.
const STUBBORN: Duration = Duration::from_secs(1);

/// Open files of a command's streams.
const FILES_OF_STREAMS: usize = 8;

/// Open files of a command's launcher.
const FILES_OF_LAUNCHER: usize = 8;

/// The exit code of a command that was ended before it began: that of SIGTERM.
const NEVER_BEGAN: i32 = 143;

/// See the module's documentation.
pub struct Command {
    id: CommandId,
    limits: Arc<Limits>,
    /// The server's own binary.
    launcher: Launcher,
    listener: Listener,
    streams: Streams,
    /// What to run. It arrives after the actor has started; input is accepted before.
    job: Option<oneshot::Receiver<Job>>,
    input: Option<Rc<Input>>,
    terminal: Option<Terminal>,
    /// There is a launcher, which may have started the command or not.
    controls: Option<Controls>,
    /// It was told to end.
    ending: bool,
    timed_out: bool,
    /// It does not end, whatever is done.
    given_up: CancellationToken,
}

impl Command {
    /// Creates a command that starts when `job` is sent, and never if its sender is dropped.
    pub fn new(
        id: CommandId,
        limits: Arc<Limits>,
        launcher: Launcher,
        listener: Listener,
        streams: Streams,
        job: oneshot::Receiver<Job>,
    ) -> Self {
        Self {
            id,
            limits,
            launcher,
            listener,
            streams,
            job: Some(job),
            input: None,
            terminal: None,
            controls: None,
            ending: false,
            timed_out: false,
            given_up: CancellationToken::new(),
        }
    }

    /// Makes the streams and waits for the job.
    fn prepare(&mut self, ctx: &mut Context<Self>) -> Result<(), LaunchError> {
        self.check_files(FILES_OF_STREAMS + FILES_OF_LAUNCHER)?;
        let Plumbing { theirs, input, terminal, outputs } =
            process::plumb(self.streams, self.limits.command_stdin_bytes)?;
        let (begin, begun) = oneshot::channel();
        if let Some(input) = &input {
            let (input, begun) = (input.clone(), begun);
            // What is typed on a terminal counts only once the command owns it.
            ctx.spawn(wrap_future(async move {
                if begun.await.is_ok() {
                    input.pump().await;
                }
            }));
        }
        (self.input, self.terminal) = (input, terminal);
        let Some(job) = self.job.take() else { return Ok(()) };
        ctx.spawn(wrap_future::<_, Self>(job).map(|job, command, ctx| match job {
            Ok(_) if command.ending => {}
            Ok(job) => command.launch(job, theirs, outputs, begin, ctx),
            // It was never begun: whoever wanted it knows why.
            Err(_) => ctx.stop(),
        }));
        Ok(())
    }

    /// Starts the process, and tells the listener when nothing of it is left.
    fn launch(
        &mut self,
        job: Job,
        streams: [OwnedFd; 3],
        outputs: Vec<(OutputStream, Source)>,
        begin: oneshot::Sender<()>,
        ctx: &mut Context<Self>,
    ) {
        let timeout = job.timeout;
        let launched = self
            .check_files(FILES_OF_LAUNCHER)
            .and_then(|()| process::launch(job, &self.launcher, streams, self.terminal.is_some()));
        let (child, controls) = match launched {
            Ok(launched) => launched,
            Err(error) => return self.report(Err(error), ctx),
        };
        self.controls = Some(controls.clone());
        if let Some(timeout) = timeout {
            self.limit_time(timeout, ctx);
        }
        let pumped = process::run(self.id, child, outputs, self.listener.output.clone(), self.given_up.clone());
        // Both at once: what the command says first may be there before the launcher's word of it.
        let started = async {
            process::started(controls).await?;
            // A command without input has nobody who waits for it.
            let _ = begin.send(());
            Ok(())
        };
        let ended = async { futures_util::future::join(started, pumped).await };
        let ended = wrap_future::<_, Self>(guarded_future("the output of a command", ended));
        ctx.spawn(ended.map(|ended, command, ctx| {
            let exit = |code| Exit { code, timed_out: command.timed_out };
            let exit = match ended {
                Some((Ok(()), code)) => Ok(exit(code)),
                // It was ended while it was being launched, and says no more about that.
                Some((Err(LaunchError::System(_)), code)) if command.ending => Ok(exit(code)),
                Some((Err(error), _)) => Err(error),
                None => Err(LaunchError::Lost),
            };
            command.report(exit, ctx);
        }));
    }

    /// Checks that the command can open so many files and leaves enough to others.
    fn check_files(&self, needed: usize) -> Result<(), LaunchError> {
        Ok(descriptors::check(needed, self.limits.reserved_open_files)?)
    }

    /// Reports the end and stops the actor.
    fn report(&mut self, exit: Result<Exit, LaunchError>, ctx: &mut Context<Self>) {
        self.controls = None;
        let ended = self.listener.ended.send(Ended { command: self.id, exit });
        ctx.wait(wrap_future::<_, Self>(ended).map(|_, _, ctx: &mut Context<Self>| ctx.stop()));
    }

    /// Sends SIGTERM to all processes, and SIGKILL after a grace period. If the supervisor does not obey, because it was
    /// stopped or hangs, its processes are killed directly, and then the supervisor.
    fn end(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        let Some(controls) = &self.controls else {
            let exit = Exit { code: NEVER_BEGAN, timed_out: self.timed_out };
            return self.report(Ok(exit), ctx);
        };
        controls.send(Control::Terminate);
        let grace = self.limits.command_grace_seconds.duration();
        let after = |time: Duration, step: fn(&Self, &Controls), ctx: &mut Context<Self>| {
            ctx.run_later(time, move |command, _| {
                if let Some(controls) = &command.controls {
                    step(command, controls);
                }
            });
        };
        let kill = |_: &Self, controls: &Controls| {
            controls.send(Control::Kill);
            controls.wake();
        };
        after(grace, kill, ctx);
        after(grace + STUBBORN, |_, controls| controls.kill_below(), ctx);
        after(grace + 2 * STUBBORN, |_, controls| controls.kill(), ctx);
        after(grace + 3 * STUBBORN, |command, _| command.given_up.cancel(), ctx);
    }

    fn limit_time(&mut self, timeout: Duration, ctx: &mut Context<Self>) {
        let is_over = |command: &mut Self, ctx: &mut Context<Self>| {
            command.timed_out = !command.ending;
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
        if let Err(error) = self.prepare(ctx) {
            self.ending = true;
            self.report(Err(error), ctx);
        }
    }
}

impl Handler<Write> for Command {
    type Result = ();

    fn handle(&mut self, Write { bytes, close, done }: Write, _: &mut Self::Context) {
        let result = self.input.as_ref().map_or(Err(InputRefused::Closed), |input| input.push(bytes, close));
        // The sender may be gone.
        let _ = done.send(result);
    }
}

impl Handler<Feed> for Command {
    type Result = ResponseFuture<Result<(), InputRefused>>;

    fn handle(&mut self, Feed(bytes): Feed, _: &mut Self::Context) -> Self::Result {
        let input = self.input.clone();
        Box::pin(async move {
            match input {
                Some(input) => input.push_patiently(bytes).await,
                None => Err(InputRefused::Closed),
            }
        })
    }
}

impl Handler<Resize> for Command {
    type Result = ();

    fn handle(&mut self, Resize { size, done }: Resize, _: &mut Self::Context) {
        let result = self.terminal.as_ref().map_or(Ok(()), |terminal| terminal.resize(size));
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
