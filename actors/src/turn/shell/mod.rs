//! A shell command that a tool runs, with its output for clients and for the model.
//!
//! It may outlive the call that started it, and its turn. So it reports to the thread by itself: each piece of output as
//! it comes, and the end of its item. The thread's answer is awaited before more output is read, so a slow thread slows the
//! command. Of long output, clients get the beginning at once, and the last part when the command ends; what they got adds
//! up to the output of the item.
//!
//! | file | what it is |
//! |---|---|
//! | [`output`] | text of which the beginning and the end are kept |
//! | [`table`] | the commands of a thread |

mod messages;
mod output;
mod table;

use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::messages::{Growth, Report, TurnEvent};
use crate::clock::Clock;
use crate::command::{
    Command, CommandId, Ended, InputRefused, Listener, Output, Run, Runner, Streams, TerminalSize, Terminate, Write,
};
use crate::context::Context;
use crate::protocol::item::{CommandExecutionStatus, Item, ItemKind};
use output::{Kept, Text};

pub use messages::{End, EndShell, Look, Seen, Type};
pub use table::{Place, ShellHandle, Shells};

/// Lines and columns of a command's terminal.
const TERMINAL: TerminalSize = TerminalSize { rows: 24, cols: 80 };

/// See the module's documentation. It ends when its command has ended and nobody holds its address.
pub struct Shell {
    task: ShellTask,
    command: Option<Arc<Addr<Command>>>,
    /// Somebody wants it to end.
    ending: bool,
    text: Text,
    /// For clients.
    shown: Kept,
    /// For the model, since its last look.
    unseen: Kept,
    begun: Instant,
    end: Option<End>,
    /// Cancelled when the end was told.
    told: CancellationToken,
    /// Cancels it at the latest when the actor ends.
    _gone: DropGuard,
}

/// What a shell command runs, and for whom.
pub struct ShellTask {
    /// How commands are run.
    pub runner: Runner,
    /// The wall clock.
    pub clock: Clock,
    /// The thread; `None` once the command has ended.
    pub thread: Option<Recipient<Report>>,
    /// The turn to which the item belongs.
    pub turn_id: Arc<str>,
    /// The item, which clients know as in progress.
    pub item: Item,
    /// The command.
    pub run: Run,
    /// On a terminal.
    pub tty: bool,
    /// Bytes of output that are kept for clients.
    pub shown_bytes: usize,
    /// Bytes of output that are kept for the model between two looks.
    pub unseen_bytes: usize,
}

impl Shell {
    fn new(task: ShellTask, told: CancellationToken) -> Self {
        Self {
            text: Text::new(),
            shown: Kept::new(task.shown_bytes),
            unseen: Kept::new(task.unseen_bytes),
            task,
            command: None,
            ending: false,
            begun: Instant::now(),
            end: None,
            _gone: told.clone().drop_guard(),
            told,
        }
    }

    /// Takes in output, and returns what of it clients are told now.
    fn take(&mut self, bytes: &[u8], last: bool) -> Option<TurnEvent> {
        let mut text = self.text.push(bytes, last);
        self.unseen.push(&text);
        let first = self.shown.push(&text);
        text.truncate(first);
        self.grew(text)
    }

    fn grew(&self, text: String) -> Option<TurnEvent> {
        let growth = Growth::Output(text);
        (growth.bytes() > 0).then(|| TurnEvent::Grew { item_id: self.task.item.id.as_str().into(), growth })
    }

    /// Tells the thread. If it is gone, the command has nobody left and ends.
    fn report(&self, events: Vec<TurnEvent>) -> ResponseActFuture<Self, ()> {
        let Some(thread) = self.task.thread.as_ref().filter(|_| !events.is_empty()) else {
            return Box::pin(wrap_future(std::future::ready(())));
        };
        let report = thread.send(Report { turn_id: self.task.turn_id.clone(), events });
        Box::pin(wrap_future::<_, Self>(report).map(|told, shell, ctx| {
            if told.is_err() {
                shell.terminate(ctx);
            }
        }))
    }

    fn terminate(&mut self, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.ending, true) {
            return;
        }
        let Some(command) = self.command.clone() else { return };
        ctx.spawn(wrap_future(async move {
            // An error means that it has ended.
            let _ = command.send(Terminate).await;
        }));
    }

    /// The command is over: tells what clients have not seen of its output, and completes its item.
    fn finish(&mut self, end: End) -> ResponseActFuture<Self, ()> {
        let mut events: Vec<_> = self.take(&[], true).into_iter().collect();
        let why = match &end {
            End::NotStarted(reason) => {
                self.shown.push(reason);
                reason.clone()
            }
            End::Exited(_) => self.shown.rest(|bytes| format!("\n... {bytes} bytes omitted ...\n")),
        };
        events.extend(self.grew(why));
        let now = self.task.clock.unix_ms();
        let mut item = self.task.item.clone();
        item.completed_at_ms = Some(now);
        if let ItemKind::CommandExecution(command) = &mut item.kind {
            let output = self.shown.text(|bytes| format!("\n... {bytes} bytes omitted ...\n"));
            command.aggregated_output = (!output.is_empty()).then_some(output);
            command.exit_code = match end {
                End::Exited(code) => Some(code),
                End::NotStarted(_) => None,
            };
            command.duration_ms = i64::try_from(self.begun.elapsed().as_millis()).ok();
            command.status = match end {
                End::Exited(0) => CommandExecutionStatus::Completed,
                _ => CommandExecutionStatus::Failed,
            };
        }
        events.push(TurnEvent::ItemCompleted { item, history: Vec::new() });
        Box::pin(self.report(events).map(move |(), shell, _| {
            shell.end = Some(end);
            shell.command = None;
            // The thread holds this actor's address. Held in turn, it would never end.
            shell.task.thread = None;
            shell.told.cancel();
        }))
    }
}

impl Actor for Shell {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let me = Arc::new(ctx.address());
        let listener =
            Listener { output: Arc::new(Addr::clone(&me).recipient()), ended: Arc::new(Addr::clone(&me).recipient()) };
        let streams = if self.task.tty { Streams::Terminal(TERMINAL) } else { Streams::OnePipe };
        match self.task.runner.run(CommandId(0), self.task.run.clone(), streams, listener) {
            Ok(command) => self.command = Some(command),
            Err(reason) => {
                let told = self.finish(End::NotStarted(reason.to_string()));
                ctx.wait(told);
            }
        }
    }
}

impl Handler<Output> for Shell {
    /// The command waits for this before it reads more.
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Output { bytes, .. }: Output, _: &mut Self::Context) -> Self::Result {
        let events = self.take(&bytes, false).into_iter().collect();
        self.report(events)
    }
}

impl Handler<Ended> for Shell {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Ended { exit, .. }: Ended, _: &mut Self::Context) -> Self::Result {
        AtomicResponse::new(self.finish(match exit {
            Ok(exit) => End::Exited(exit.code),
            Err(error) => End::NotStarted(error.to_string()),
        }))
    }
}

impl Handler<Look> for Shell {
    type Result = Seen;

    fn handle(&mut self, Look { most_bytes }: Look, _: &mut Self::Context) -> Seen {
        let unseen = std::mem::replace(&mut self.unseen, Kept::new(self.task.unseen_bytes));
        let (bytes, lines) = (unseen.bytes(), unseen.lines());
        let (output, shortened) = unseen.excerpt(most_bytes);
        Seen { output, bytes, lines_of_shortened: shortened.then_some(lines), end: self.end.clone() }
    }
}

impl Handler<Type> for Shell {
    type Result = ResponseFuture<Result<(), InputRefused>>;

    fn handle(&mut self, Type { text }: Type, _: &mut Self::Context) -> Self::Result {
        let command = self.command.clone().filter(|_| self.task.tty);
        Box::pin(async move {
            let command = command.ok_or(InputRefused::Closed)?;
            let (done, queued) = tokio::sync::oneshot::channel();
            let write = Write { bytes: text.into_bytes(), close: false, done };
            command.send(write).await.map_err(|_| InputRefused::Closed)?;
            queued.await.map_err(|_| InputRefused::Closed)?
        })
    }
}

impl Handler<EndShell> for Shell {
    type Result = ();

    fn handle(&mut self, _: EndShell, ctx: &mut Self::Context) {
        self.terminate(ctx);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::mailbox::start;
    use crate::turn::task::TurnRules;

    /// A thread that is there as long as somebody holds its address.
    struct Thread(#[expect(dead_code, reason = "counted")] Arc<()>);

    impl Actor for Thread {
        type Context = Context<Self>;
    }

    impl Handler<Report> for Thread {
        type Result = ();

        fn handle(&mut self, _: Report, _: &mut Self::Context) {}
    }

    #[actix_rt::test]
    async fn a_command_that_has_ended_holds_its_thread_no_more() {
        let life = Arc::new(());
        let thread = start(1, Thread(life.clone()));
        let shells = Arc::new(Shells::default());
        let run = Run {
            argv: vec!["true".into()],
            cwd: "/".into(),
            cwd_is_real: false,
            workspace: "/".into(),
            rules: TurnRules::of_a_test().commands,
            environment: None,
            with_programs: false,
            timeout: None,
        };
        let kind = ItemKind::ContextCompaction;
        let task = ShellTask {
            runner: Runner::none(),
            clock: Clock::system(),
            thread: Some(Addr::clone(&thread).recipient()),
            turn_id: "turn".into(),
            item: Item { kind, id: "item".to_owned(), started_at_ms: None, completed_at_ms: None },
            run,
            tty: false,
            shown_bytes: 64,
            unseen_bytes: 64,
        };
        let shell = shells.start(shells.reserve(1).unwrap(), task, "true".to_owned());
        shell.ended.cancelled().await;
        drop(thread);
        let ended = async {
            while Arc::strong_count(&life) > 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it has ended");
    }
}
