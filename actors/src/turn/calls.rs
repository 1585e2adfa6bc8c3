//! The calls that a model makes, and what reaches the turn while they run.

use futures_util::StreamExt;

use super::ask::Showing;
use super::messages::{TurnEvent, UserCommand};
use super::run::{Answered, Heard, Input, Run, Stop};
use super::tools::{Made, user_shell};

impl Run {
    /// Asks the model once, and makes the calls that it wants made.
    pub(super) async fn answer(&mut self) -> Result<Answered, Stop> {
        let request = self.request(self.history.clone());
        let mut answered = Answered::default();
        let showing = if self.aside { Showing::Work } else { Showing::Items };
        let mut end = self.ask(request, showing, &mut answered).await;
        if end.is_ok() {
            end = self.wait_for_calls().await;
        }
        let heard = self.remember_made(end).await?;
        answered.goes_on = answered.calls > 0 || heard;
        Ok(answered)
    }

    /// Runs a command of a user as a turn of its own.
    pub(super) async fn run_command(&mut self, command: UserCommand) -> Result<(), Stop> {
        let UserCommand { reply, script, timeout } = command;
        self.reporter.push(TurnEvent::Began { reply });
        self.reporter.flush().await?;
        self.calls.push(Box::pin(user_shell(self.toolbox.clone(), None, script, timeout)));
        let end = self.wait_for_calls().await;
        self.remember_made(end).await.map(|_| ())
    }

    /// Makes what calls gave back part of the conversation; where the turn is to end, those that run end first. Returns
    /// whether a user's command is among them.
    async fn remember_made(&mut self, end: Result<(), Stop>) -> Result<bool, Stop> {
        if end.is_err() {
            self.toolbox.stop();
            while let Some(made) = self.calls.next().await {
                self.made.push(made);
            }
        }
        // In the order of the calls, so that the same conversation always reads the same.
        self.made.sort_by_key(|made| made.number);
        let made = std::mem::take(&mut self.made);
        let heard = made.iter().any(Made::is_of_user);
        self.remember(made.into_iter().map(|made| made.entry).collect());
        self.reporter.flush().await?;
        end.map(|()| heard)
    }

    /// Waits until every call that runs is over.
    async fn wait_for_calls(&mut self) -> Result<(), Stop> {
        loop {
            tokio::select! {
                biased;
                input = self.inbox.recv() => if self.hear(input) == Heard::Interrupt {
                    return Err(Stop::Interrupted);
                },
                made = self.calls.next() => match made {
                    Some(made) => self.take_made(made)?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// A call is over.
    ///
    /// # Errors
    /// The turn is to end with it.
    pub(super) fn take_made(&mut self, made: Made) -> Result<(), Stop> {
        let ends_turn = made.ends_turn;
        self.made.push(made);
        if ends_turn { Err(Stop::Interrupted) } else { Ok(()) }
    }

    /// Takes in what reaches the turn while something else goes on.
    pub(super) fn hear(&mut self, input: Option<Input>) -> Heard {
        match input {
            Some(Input::Steer(words)) => {
                self.waiting.push(words);
                return Heard::Words;
            }
            Some(Input::Inject(injected)) => self.injected.push(injected),
            Some(Input::Command(command)) => {
                let UserCommand { reply, script, timeout } = command.take();
                self.calls.push(Box::pin(user_shell(self.toolbox.clone(), Some(reply), script, timeout)));
            }
            Some(Input::Interrupt) | None => return Heard::Interrupt,
        }
        Heard::Other
    }
}
