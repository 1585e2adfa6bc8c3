//! Requests that change what a conversation goes on from: `thread/settings/update`, `thread/inject_items`,
//! `thread/revert`.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::choice::Choice;
use super::query::{backwards_cursors, latest_cursors};
use super::refusals::{no_rollout, thread_id};
use super::turn::describe;
use super::view;
use super::{Threads, Work, decided, finish, hand_over, work};
use crate::encode::is_large;
use crate::protocol::model::HistoryItem;
use crate::protocol::notification::ThreadReverted;
use crate::protocol::thread::{
    ThreadInjectItemsParams, ThreadRevertParams, ThreadRevertResponse, ThreadSettingsUpdateParams,
};
use crate::protocol::{RpcError, ServerNotification};
use crate::router::{Audience, Outcome};
use crate::store::messages::{LastTokenUsage, ReadGoal, RevertThread, Reverted, Until};
use crate::store::{self, ThreadRecord};
use crate::thread::{ChangeSettings, InjectItems, Past, Revert};

impl Threads {
    pub(super) fn update_settings(&self, params: ThreadSettingsUpdateParams) -> Result<Work, RpcError> {
        let thread = self.live(&params.own.thread_id)?;
        let (catalog, rule_book) = (self.parts.catalog.clone(), self.rule_book(&params.own.thread_id)?);
        let choice = Choice::of_turns(params.choices);
        work(async move {
            let mut record = ThreadRecord::clone(&*describe(&thread).await?);
            choice.apply(&mut record, catalog).await?;
            // A configuration that allows no turn does not forbid settings.
            let rules = rule_book.rules(&record).await.ok().map(Box::new);
            hand_over(move |reply| async move {
                // Where the thread fails meanwhile, the reply is dropped with the message, which answers that.
                let _ = thread.send(ChangeSettings { reply, record: Arc::new(record), rules }).await;
            })
        })
    }

    pub(super) fn inject_items(&self, params: ThreadInjectItemsParams) -> Result<Work, RpcError> {
        let thread = self.live(&params.thread_id)?;
        if params.items.is_empty() {
            return Err(RpcError::invalid_request("items must not be empty"));
        }
        let inject = |history| {
            hand_over(move |reply| async move {
                let _ = thread.send(InjectItems { reply, history }).await;
            })
        };
        let items = params.items;
        if !is_large(items.iter().map(|item| item.get().len())) {
            return decided(inject(entries(items)?));
        }
        let encoder = self.parts.encoder.clone();
        work(async move {
            let read = encoder.run("the reading of large items", || entries(items)).await;
            inject(read.ok_or_else(|| RpcError::internal("the server failed while it read the items"))??)
        })
    }

    pub(super) fn revert(&self, params: ThreadRevertParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        self.refuse_ephemeral_history(id, "thread/revert")?;
        let was_loaded = self.loaded.contains_key(&id);
        let loaded = self.loaded.get(&id).filter(|loaded| loaded.thread.connected());
        let loaded = loaded.map(|loaded| (loaded.thread.clone(), loaded.activity.clone(), loaded.shells.clone()));
        let revert =
            RevertThread { id, until: Until::Before(params.before_turn_id), at_ms: self.parts.clock.unix_ms() };
        let (question, store) = (
            (revert, (LastTokenUsage { thread_id: id }, ReadGoal { thread_id: id }), latest_cursors(id)),
            self.parts.store.clone(),
        );
        work(async move {
            let (reverted, (usage, goal), cursors) = match loaded {
                Some((thread, activity, shells)) => {
                    // What a command still tells must not write a turn anew that is about to go.
                    if !activity.get().is_working() {
                        shells.end(|_| true).await;
                    }
                    let answer = thread.send(Revert(question)).await;
                    answer.map_err(|_| RpcError::internal("the thread has failed; resume it"))??
                }
                None => store::ask(&store, question).await.map_err(|error| error.refusal())?,
            };
            let record = match reverted {
                Reverted::Thread(record) => *record,
                Reverted::UnknownThread => return Err(no_rollout(id)),
                Reverted::UnknownTurn(turn) => {
                    return Err(RpcError::invalid_request(format!("turn not found: {turn}")));
                }
            };
            finish(move |threads, reply| {
                // A thread begins anew from what is on disk now.
                let config = threads.loaded.get(&id).map(|loaded| loaded.config.clone()).unwrap_or_default();
                let unloaded = if was_loaded { threads.unload(id) } else { None };
                if was_loaded {
                    let past = Past { usage: usage.map(|(_, usage)| usage), goal, memory: None, config };
                    threads.load(&Arc::new(record.clone()), past);
                }
                let (turns_backwards_cursor, items_backwards_cursor) = backwards_cursors(cursors);
                let thread = view::thread(&record, threads.presence(id), Vec::new());
                let status = thread.status.clone();
                let response = ThreadRevertResponse { thread, turns_backwards_cursor, items_backwards_cursor };
                let answered = match unloaded {
                    Some(unloaded) => Outcome::none()
                        .tell(Audience::Everyone, unloaded)
                        .tell(Audience::Everyone, ServerNotification::ThreadStatusChanged { thread_id: id, status })
                        .followed_by(reply.ok(&response)),
                    None => reply.ok(&response),
                };
                answered.publish(ServerNotification::ThreadReverted(ThreadReverted { thread_id: id }))
            })
        })
    }
}

/// The items of a client as entries of a conversation.
fn entries(items: Vec<Box<RawValue>>) -> Result<Vec<HistoryItem>, RpcError> {
    let entry = |(index, item)| {
        let invalid =
            |error| RpcError::invalid_request(format!("items[{index}] is not a valid response item: {error}"));
        HistoryItem::from_raw(item).map_err(invalid)
    };
    items.into_iter().enumerate().map(entry).collect()
}
