//! `thread/resume`: loads a thread if it is not loaded, and attaches the client to it.
//!
//! The loaded thread attaches: it says what it does at that moment, and nothing happens in it until the client has its
//! answer and is subscribed. So the client misses no event, and is told none twice.

use std::sync::Arc;

use actix::prelude::*;

use super::choice::Choice;
use super::query::{backwards_cursors, latest_cursors, turn_sizes};
use super::refusals::{archived, no_rollout, session_id};
use super::view::{self, Presence};
use super::{End, Threads, Work, decided, finish, work};
use crate::encode::{Encoder, is_large};
use crate::protocol::notification::ThreadTokenUsageUpdated;
use crate::protocol::thread::{
    MultiAgentMode, SortDirection, ThreadId, ThreadResumeParams, ThreadResumeResponse, TurnsPage, TurnsPageParams,
};
use crate::protocol::turn::{Turn, TurnItemsView};
use crate::protocol::with_choices::WithChoices;
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::{Audience, Effect, Outcome};
use crate::store::messages::{LastTokenUsage, ListTurns, LoadThread, ReadGoal, ReadTurns, SaveThreadSettings};
use crate::store::{self, PageRequest, Store, ThreadRecord};
use crate::thread::{Attach, Past, ThreadSnapshot, collaboration_mode};

impl Threads {
    pub(super) fn resume(&self, params: ThreadResumeParams) -> Result<Work, RpcError> {
        let WithChoices { choices, own: mut params } = params;
        if params.history.is_some() || params.path.is_some() {
            return Err(RpcError::invalid_request("this server resumes threads by `threadId` only"));
        }
        let id = session_id(&params.thread_id)?;
        if self.is_ephemeral(id) {
            // It has no history to resume.
            return Err(no_rollout(id));
        }
        let join = Join {
            id,
            with_turns: !params.exclude_turns,
            page: params.initial_turns_page.take(),
            store: self.parts.store.clone(),
            encoder: self.parts.encoder.clone(),
        };
        if self.loaded.get(&id).is_some_and(|loaded| loaded.thread.connected()) {
            // The client's choices apply to a thread that is being loaded; a loaded thread keeps its settings.
            return decided(finish(move |threads, reply| threads.attach(join, reply, false)));
        }
        let known = self.ask((LoadThread { id }, LastTokenUsage { thread_id: id }, ReadGoal { thread_id: id }));
        let (store, catalog) = (self.parts.store.clone(), self.parts.catalog.clone());
        let choice = Choice::of_thread(choices);
        let config = choice.config();
        work(async move {
            let (record, usage, goal) = known.await?;
            let mut record = record.ok_or_else(|| no_rollout(id))?;
            if record.archived_at_ms.is_some() {
                return Err(archived(id));
            }
            let before = record.clone();
            choice.apply(&mut record, catalog).await?;
            if record != before {
                let chosen = SaveThreadSettings(Box::new(record.clone()));
                store::ask(&store, chosen).await.map_err(|error| error.refusal())?;
            }
            let past = Past { usage: usage.map(|(_, usage)| usage), goal, memory: None, config };
            finish(move |threads, reply| {
                threads.load(&Arc::new(record), past);
                threads.attach(join, reply, true)
            })
        })
    }

    /// Has a loaded thread attach a client. `loads`: it was loaded for this client.
    fn attach(&mut self, join: Join, reply: Reply, loads: bool) -> End {
        let thread = self.loaded.get_mut(&join.id).map(|loaded| {
            // It must not be unloaded before the client is subscribed.
            loaded.unfollowed_since = None;
            loaded.thread.clone()
        });
        let attach = Attach(Box::new(move |now| Box::pin(join.answer(now, reply, loads))));
        End::HandedOver(Box::pin(async move {
            // If the thread fails meanwhile, the reply is dropped with the message, which answers the client.
            if let Some(thread) = thread {
                let _ = thread.send(attach).await;
            }
        }))
    }
}

/// What a client that resumes a thread wants to see of it.
struct Join {
    id: ThreadId,
    with_turns: bool,
    page: Option<TurnsPageParams>,
    store: Arc<Addr<Store>>,
    encoder: Encoder,
}

/// What is stored of a thread.
struct Stored {
    record: ThreadRecord,
    turns: Vec<Turn>,
    page: Option<TurnsPage>,
    turns_backwards_cursor: Option<String>,
    items_backwards_cursor: Option<String>,
    usage: Option<ServerNotification>,
}

impl Join {
    /// Answers and subscribes the client. `now` is what the thread does until this is over.
    async fn answer(self, now: ThreadSnapshot, reply: Reply, loads: bool) -> Outcome {
        let (id, connection, encoder) = (self.id, reply.connection(), self.encoder.clone());
        let mut stored = match self.read().await {
            Ok(stored) => stored,
            Err(refusal) => return reply.fail(&refusal),
        };
        if let Some(running) = &now.turn {
            let page = stored.page.iter_mut().flat_map(|page| &mut page.data);
            let shown = stored.turns.iter_mut().chain(page);
            shown.filter(|turn| turn.id == running.id).for_each(|turn| overlay(turn, running));
        }
        let (usage, status) = (stored.usage.take(), now.activity.into());
        let page = stored.page.iter().flat_map(|page| &page.data);
        let large = is_large(turn_sizes(stored.turns.iter().chain(page)));
        let resumed = move || response(stored, &now);
        let answer = if large {
            match encoder.large(reply, resumed).await {
                Some((reply, frame)) => reply.send(frame),
                None => return Outcome::none(),
            }
        } else {
            reply.ok(&resumed())
        };
        let joined = answer.then(Effect::Subscribe { connection, thread: id });
        let joined = usage.into_iter().fold(joined, |joined, usage| joined.tell(Audience::One(connection), usage));
        if !loads {
            return joined;
        }
        joined.tell(Audience::Everyone, ServerNotification::ThreadStatusChanged { thread_id: id, status })
    }

    async fn read(self) -> Result<Stored, RpcError> {
        let id = self.id;
        let shown =
            (self.with_turns.then_some(ReadTurns { thread_id: id }), self.page.map(|page| turns_page(id, page)));
        let known = (LoadThread { id }, LastTokenUsage { thread_id: id });
        let read = store::ask(&self.store, (known, shown, latest_cursors(id))).await;
        let ((record, usage), (turns, page), latest) = read.map_err(|error| error.refusal())?;
        let record = record.ok_or_else(|| no_rollout(id))?;
        if record.archived_at_ms.is_some() {
            return Err(archived(id));
        }
        let (turns_backwards_cursor, items_backwards_cursor) = backwards_cursors(latest);
        Ok(Stored {
            record,
            turns: turns.unwrap_or_default(),
            page: page.flatten(),
            turns_backwards_cursor,
            items_backwards_cursor,
            usage: usage.map(|(turn_id, token_usage)| {
                let updated = ThreadTokenUsageUpdated { thread_id: id, turn_id, token_usage };
                ServerNotification::ThreadTokenUsageUpdated(updated)
            }),
        })
    }
}

/// Puts what is in memory of a running turn into what is on disk of it: an item in progress may have grown since, or may
/// not be on disk yet.
fn overlay(turn: &mut Turn, running: &Turn) {
    if turn.items_view != TurnItemsView::Full {
        return;
    }
    let id = |item: &crate::protocol::turn::ThreadItem| item.summary().ok().map(|summary| summary.id);
    for item in &running.items {
        match turn.items.iter_mut().find(|stored| id(stored) == id(item)) {
            Some(stored) => stored.clone_from(item),
            None => turn.items.push(item.clone()),
        }
    }
}

fn response(stored: Stored, now: &ThreadSnapshot) -> ThreadResumeResponse {
    let presence = Presence::Loaded(now.activity);
    ThreadResumeResponse {
        collaboration_mode: Some(collaboration_mode(&now.record)),
        loaded: view::loaded_thread(view::thread(&stored.record, presence, stored.turns), &now.record),
        multi_agent_mode: MultiAgentMode::default(),
        initial_turns_page: stored.page,
        turns_backwards_cursor: stored.turns_backwards_cursor,
        items_backwards_cursor: stored.items_backwards_cursor,
    }
}

fn turns_page(thread_id: ThreadId, page: TurnsPageParams) -> ListTurns {
    let direction = page.sort_direction.unwrap_or(SortDirection::Desc);
    let page_request = PageRequest { cursor: None, limit: page.limit, direction };
    ListTurns { thread_id, page: page_request, items_view: page.items_view.unwrap_or(TurnItemsView::Summary) }
}
