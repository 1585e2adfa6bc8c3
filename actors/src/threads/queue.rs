//! Requests about queued messages. A message for a loaded thread goes through the thread, which says it when it is idle; one
//! for another thread waits in the database until the thread is loaded and has had a turn.

use uuid::Uuid;

use super::refusals::{thread_id, thread_not_found};
use super::{Threads, Work, finish, hand_over, work};
use crate::protocol::thread::{
    QueuedSubmission, ThreadQueueAddParams, ThreadQueueDeleteParams, ThreadQueueDeleteResponse, ThreadQueueListParams,
    ThreadQueueListResponse,
};
use crate::protocol::{RpcError, ServerNotification};
use crate::router::Outcome;
use crate::store::messages::{AddQueued, DeleteQueued, ListQueued};
use crate::thread::{QueueWords, added};

/// Queued messages on a page unless the client says otherwise, and at most.
const PAGE: (u32, u32) = (25, 100);

impl Threads {
    pub(super) fn add_to_queue(&self, params: ThreadQueueAddParams) -> Result<Work, RpcError> {
        let id = self.on_disk(&params.thread_id)?;
        if params.input.is_empty() {
            return Err(RpcError::invalid_request("input must not be empty"));
        }
        self.check_input(&params.input)?;
        let submission = QueuedSubmission {
            id: Uuid::now_v7().to_string(),
            client_user_message_id: params.client_user_message_id,
            input: params.input,
            responsesapi_client_metadata: params.responsesapi_client_metadata,
        };
        let most = self.parts.turns.limits.queued_messages;
        if !self.loaded.contains_key(&id) {
            let queued = self.ask(AddQueued { thread_id: id, submission, most });
            return work(async move {
                let queued = queued.await;
                finish(move |_, reply| added(id, most, queued, reply))
            });
        }
        let thread = self.live(&params.thread_id)?;
        let rules = self.rules_now(&params.thread_id)?;
        work(async move {
            let rules = rules.await?;
            hand_over(move |reply| async move {
                let _ = thread.send(QueueWords { reply, submission, rules }).await;
            })
        })
    }

    pub(super) fn queue(&self, params: ThreadQueueListParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let after = params.cursor.unwrap_or_default();
        if !after.is_empty() && Uuid::parse_str(&after).is_err() {
            return Err(RpcError::invalid_request("invalid cursor"));
        }
        let (usual, most) = PAGE;
        let limit = params.limit.unwrap_or(usual).clamp(1, most);
        let (record, queued) = (self.known(id), self.ask(ListQueued { thread_id: id, after, most: limit + 1 }));
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            let mut data = queued.await?;
            let has_more = data.len() > limit as usize;
            data.truncate(limit as usize);
            let next_cursor = data.last().filter(|_| has_more).map(|last| last.id.clone());
            finish(move |_, reply| reply.ok(&ThreadQueueListResponse { data, next_cursor }))
        })
    }

    pub(super) fn delete_from_queue(&self, params: ThreadQueueDeleteParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let record = self.known(id);
        let deleted = self.ask(DeleteQueued { thread_id: id, id: params.queued_submission_id });
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            let deleted = deleted.await?;
            finish(move |_, reply| {
                let told = deleted.then_some(ServerNotification::ThreadQueueChanged { thread_id: id });
                told.into_iter().fold(reply.ok(&ThreadQueueDeleteResponse { deleted }), Outcome::publish)
            })
        })
    }
}
