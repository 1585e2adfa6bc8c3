//! One message and its answer.

use app_server_actors::protocol::{
    RequestId, ServerNotification,
    client::{ServerMessage, decode_server},
    item::{Item, ItemKind, UserInput},
    raw::topic,
    turn::{Turn, TurnStartResponse, TurnStatus},
};
use serde::Serialize;

use super::paper::{Paper, notice};
use crate::{
    attach::{CallError, Client, ClientError},
    signals::Signals,
};

/// A conversation on one thread.
pub struct Talk {
    /// Attached to the server.
    pub client: Client,
    /// Id of the thread, which the client follows.
    pub thread: String,
    /// Where the answer goes.
    pub paper: Paper,
    /// Ctrl-C and its like.
    pub signals: Signals,
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
            let message = tokio::select! {
                message = self.client.next() => message?,
                () = self.paper.unread() => return Ok(()),
                () = self.signals.stop() => {
                    interrupts += 1;
                    match &turn {
                        _ if interrupts > 1 => return Err(CallError::Unsuccessful("left before the answer ended".into())),
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

    /// Prints what `message` says about the thread. Returns the turn if it has ended.
    async fn told(&mut self, message: &str) -> Result<Option<Box<Turn>>, CallError> {
        let about = topic(message).map_err(ClientError::from)?;
        if about.and_then(|topic| topic.thread_id).as_ref() != Some(&self.thread) {
            return Ok(None);
        }
        if self.paper.is_json() {
            self.paper.message(message).await?;
        }
        let ServerMessage::Notification(notification) = decode_server(message).map_err(ClientError::from)? else {
            return Ok(None);
        };
        match notification {
            ServerNotification::TurnCompleted(completed) => return Ok(Some(Box::new(completed.turn))),
            _ if self.paper.is_json() => {}
            ServerNotification::AgentMessageDelta(delta) => self.paper.piece(&delta.item_id, &delta.delta).await?,
            ServerNotification::ItemCompleted(completed) => {
                // Items of a later version say nothing here.
                if let Ok(Item { kind: ItemKind::AgentMessage(message), id, .. }) = completed.item.decode() {
                    self.paper.complete(&id, &message.text).await?;
                }
            }
            ServerNotification::Error(failure) if failure.will_retry => {
                notice(&format!("{} (trying again)", failure.error.message));
            }
            ServerNotification::Warning(warning) => notice(&format!("Warning: {}", warning.message)),
            _ => {}
        }
        Ok(None)
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
