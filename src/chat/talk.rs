//! One message and its answer.

use std::io::{self, IsTerminal as _};

use app_server_actors::protocol::{
    RequestId, ServerNotification,
    client::{ParamsText, ServerMessage, decode_server},
    item::UserInput,
    raw::topic,
    server_request::DYNAMIC_TOOL_CALL,
    turn::{Turn, TurnStartResponse, TurnStatus},
};
use bytestring::ByteString;
use rustix::termios::tcgetwinsize;
use serde::Serialize;

use super::{
    desk::Desk,
    keyboard::Keyboard,
    paper::{Paper, notice},
    question::{Question, Reply, Size},
    show,
};
use crate::{
    attach::{CallError, Client, ClientError},
    signals::Signals,
};

/// A terminal that does not say how large it is.
const USUAL_SIZE: Size = Size { columns: 80, rows: 24 };

/// A conversation on one thread.
pub struct Talk {
    /// Attached to the server.
    pub client: Client,
    /// Id of the thread, which the client follows.
    pub thread: String,
    /// The thread's directory.
    pub cwd: String,
    /// Where the answer goes.
    pub paper: Paper,
    /// Ctrl-C and its like.
    pub signals: Signals,
    /// The terminal of the person, if there is one.
    pub keyboard: Option<Keyboard>,
    /// What waits for the person.
    pub desk: Desk,
}

/// What happens next.
pub enum Happening {
    /// The server says something.
    Message(ByteString),
    /// The person has typed a line; `None` after the end of the input.
    Line(Option<String>),
    /// The process is asked to end.
    Signal,
    /// stdout is closed.
    Unread,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Say<'a> {
    thread_id: &'a str,
    input: [UserInput; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Interrupt<'a> {
    thread_id: &'a str,
    turn_id: &'a str,
}

impl Talk {
    /// Says `text`, and prints the answer until it is complete. The first signal interrupts it, the second leaves.
    ///
    /// # Errors
    /// The answer failed or was interrupted, in words; or see [`CallError`].
    pub async fn turn(&mut self, text: &str) -> Result<(), CallError> {
        let input = [UserInput::Text { text: text.to_owned(), text_elements: Vec::new() }];
        let say = Say { thread_id: &self.thread, input };
        let request = self.client.begin("turn/start", &say).await?;
        let (mut turn, mut interrupts) = (None::<String>, 0);
        loop {
            let message = match self.next(false).await? {
                Happening::Message(message) => message,
                Happening::Line(line) => {
                    self.typed(line).await?;
                    continue;
                }
                Happening::Unread => return Ok(()),
                Happening::Signal => {
                    interrupts += 1;
                    match &turn {
                        _ if interrupts > 1 => {
                            return Err(CallError::Unsuccessful("left before the answer ended".into()));
                        }
                        Some(turn) => self.interrupt(&turn.clone()).await?,
                        None => {}
                    }
                    continue;
                }
            };
            if let Some(started) = self.answer_to(request, &message)? {
                if interrupts > 0 {
                    self.interrupt(&started).await?;
                }
                turn = Some(started);
            } else if let Some(ended) = self.told(&message).await?
                && turn.as_deref().is_none_or(|turn| turn == ended.id)
            {
                return end(*ended);
            }
        }
    }

    /// Waits for what happens next. The keyboard counts while a question is open, or if `at_prompt`.
    ///
    /// # Errors
    /// The connection has ended, or the terminal cannot be read.
    pub async fn next(&mut self, at_prompt: bool) -> Result<Happening, CallError> {
        let listens = at_prompt || self.desk.question().is_some();
        let keyboard = self.keyboard.as_mut().filter(|_| listens);
        let line = async {
            match keyboard {
                Some(keyboard) => keyboard.line().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = self.client.next() => Ok(Happening::Message(message?)),
            line = line => {
                self.paper.heard();
                Ok(Happening::Line(line?))
            }
            () = self.signals.stop() => Ok(Happening::Signal),
            () = self.paper.unread() => Ok(Happening::Unread),
        }
    }

    async fn interrupt(&mut self, turn: &str) -> Result<(), CallError> {
        let params = Interrupt { thread_id: &self.thread, turn_id: turn };
        Ok(self.client.begin("turn/interrupt", &params).await.map(drop)?)
    }

    /// The id of the turn, if `message` is the answer to `request`. Other refusals come too late to matter: the turn has
    /// ended.
    fn answer_to(&self, request: i64, message: &str) -> Result<Option<String>, ClientError> {
        match decode_server(message)? {
            ServerMessage::Answer { id: Some(RequestId::Integer(id)), outcome } if id == request => {
                Ok(Some(outcome?.read::<TurnStartResponse>()?.turn.id))
            }
            _ => Ok(None),
        }
    }

    /// Prints what `message` says about the thread, and asks what it asks. Returns the turn if it has ended.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn told(&mut self, message: &str) -> Result<Option<Box<Turn>>, CallError> {
        let about = topic(message).map_err(ClientError::from)?;
        if about.and_then(|topic| topic.thread_id).as_ref() != Some(&self.thread) {
            return Ok(None);
        }
        if self.paper.is_json() {
            self.paper.message(message).await?;
        }
        match decode_server(message).map_err(ClientError::from)? {
            ServerMessage::Notification(notification) => self.notified(notification, message.len()).await,
            ServerMessage::Request { id, method, params } => {
                self.asked(id, &method, params).await?;
                Ok(None)
            }
            ServerMessage::Answer { .. } | ServerMessage::Unknown => Ok(None),
        }
    }

    async fn notified(
        &mut self,
        notification: ServerNotification,
        bytes: usize,
    ) -> Result<Option<Box<Turn>>, CallError> {
        match &notification {
            ServerNotification::ItemStarted(started) => self.desk.note(&started.item),
            ServerNotification::ItemCompleted(completed) => self.desk.note(&completed.item),
            _ => {}
        }
        match notification {
            ServerNotification::TurnCompleted(completed) => {
                self.desk.clear();
                self.after_question().await?;
                Ok(Some(Box::new(completed.turn)))
            }
            ServerNotification::ServerRequestResolved(resolved) => {
                if let Some(was_asked) = self.desk.take(&resolved.request_id)
                    && was_asked
                {
                    self.paper.line("(no longer asked: somebody else has answered, or the turn ends)").await?;
                    self.after_question().await?;
                }
                Ok(None)
            }
            _ if self.paper.is_json() => Ok(None),
            notification if self.desk.question().is_some() => {
                self.desk.hold(notification, bytes);
                Ok(None)
            }
            notification => {
                show::notified(&mut self.paper, notification, &self.cwd).await?;
                Ok(None)
            }
        }
    }

    /// The server asks something. Only a person at this terminal can answer.
    async fn asked(&mut self, id: RequestId, method: &str, params: Option<ParamsText>) -> Result<(), CallError> {
        let Some(params) = params else { return Ok(()) };
        let question =
            Question::of(id, method, &params, |item| self.desk.changes_of(item)).map_err(ClientError::from)?;
        match question {
            Some(question) if self.keyboard.is_some() && self.paper.is_for_people() => {
                if self.desk.put(question) {
                    self.ask(false).await?;
                }
            }
            Some(_) => notice(&format!(
                "The agent waits for an answer, which needs a person at a terminal: codex-app-server chat --thread {}",
                self.thread
            )),
            // The program that brought the tool runs it.
            None if method == DYNAMIC_TOOL_CALL.name() => {}
            None => notice(&format!("The agent asks for {method}, which only another client can answer.")),
        }
        Ok(())
    }

    /// Shows the question that is asked now, and forgets what was typed before it could be read.
    async fn ask(&mut self, all: bool) -> Result<(), CallError> {
        let Some(question) = self.desk.question() else { return Ok(()) };
        for line in question.lines(size(), all) {
            self.paper.line(&line).await?;
        }
        if let Some(keyboard) = &mut self.keyboard {
            keyboard.discard();
        }
        Ok(self.paper.ask(question.prompt()).await?)
    }

    /// The person has typed a line while a question was open.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn typed(&mut self, line: Option<String>) -> Result<(), CallError> {
        let Some(line) = line else {
            self.keyboard = None;
            self.desk.clear();
            notice("This terminal gives no more answers. The agent goes on to wait: another client can answer.");
            return self.after_question().await;
        };
        let Some(question) = self.desk.question_mut() else { return Ok(()) };
        match question.reply(&line) {
            Reply::Answer(answer) => {
                let id = question.id.clone();
                self.client.answer(&id, &answer).await?;
                self.desk.take(&id);
                self.after_question().await
            }
            Reply::ShowAll => self.ask(true).await,
            Reply::More => self.ask(false).await,
            Reply::Unclear => Ok(self.paper.ask(question.prompt()).await?),
        }
    }

    /// A question is over: asks the next one, or shows what happened meanwhile.
    async fn after_question(&mut self) -> Result<(), CallError> {
        if self.desk.question().is_some() {
            return self.ask(false).await;
        }
        let held = self.desk.release();
        Ok(show::held(&mut self.paper, held, &self.cwd).await?)
    }
}

/// Size of the terminal on stdout.
fn size() -> Size {
    let stdout = io::stdout();
    match tcgetwinsize(&stdout) {
        Ok(size) if stdout.is_terminal() && size.ws_col > 0 && size.ws_row > 0 => {
            Size { columns: size.ws_col.into(), rows: size.ws_row.into() }
        }
        _ => USUAL_SIZE,
    }
}

/// What an ended turn means for whoever waited for it.
fn end(turn: Turn) -> Result<(), CallError> {
    match turn.status {
        TurnStatus::Completed | TurnStatus::InProgress => Ok(()),
        TurnStatus::Interrupted => Err(CallError::Unsuccessful("the answer was interrupted".to_owned())),
        TurnStatus::Failed => {
            let reason = turn.error.map_or_else(|| "the server gives no reason".to_owned(), |error| error.message);
            Err(CallError::Unsuccessful(reason))
        }
    }
}
