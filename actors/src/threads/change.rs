//! Requests that change a thread: `thread/name/set`, `thread/metadata/update`, `thread/archive`, `thread/unarchive`,
//! `thread/delete`, `thread/unsubscribe`.

use super::refusals::{ephemeral_metadata, no_archived_rollout, no_rollout, session_id, thread_id, unavailable_router};
use super::view::{self, Presence};
use super::{Threads, Work, finish, work};
use crate::connection::ConnectionId;
use crate::protocol::thread::{
    ChangedThread, Empty, GitInfoUpdate, ThreadId, ThreadIdParams, ThreadMetadataUpdateParams, ThreadNameSetParams,
    ThreadUnsubscribeResponse, ThreadUnsubscribeStatus,
};
use crate::protocol::{RpcError, ServerNotification};
use crate::router::{Audience, Outcome, Unsubscribe};
use crate::store::messages::{DeleteThread, SetArchived, SetThreadName, UpdateThreadMetadata};

impl Threads {
    /// Everyone is notified, including the requesting client, even if the name stays the same.
    pub(super) fn set_name(&self, params: &ThreadNameSetParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let name = params.name.trim().to_owned();
        if name.is_empty() {
            return Err(RpcError::invalid_request("thread name must not be empty"));
        }
        self.refuse_ephemeral(id)?;
        let renamed = self.ask(SetThreadName { id, name: name.clone(), at_ms: self.parts.clock.unix_ms() });
        work(async move {
            if !renamed.await? {
                return Err(no_rollout(id));
            }
            let news = ServerNotification::ThreadNameUpdated { thread_id: id, thread_name: Some(name) };
            finish(move |_, reply| reply.ok(&Empty {}).tell(Audience::Everyone, news))
        })
    }

    pub(super) fn update_metadata(&self, params: ThreadMetadataUpdateParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let ThreadMetadataUpdateParams { git_info, project_id, daybreak_enabled, .. } = params;
        if project_id.is_some() {
            return Err(RpcError::invalid_request("this server keeps no projects"));
        }
        if git_info.is_none() && daybreak_enabled.is_none() {
            return Err(RpcError::invalid_request("thread metadata update must include at least one field"));
        }
        if let Some(git) = &git_info {
            check_git(git)?;
        }
        self.refuse_ephemeral(id)?;
        let at_ms = self.parts.clock.unix_ms();
        let git = git_info.unwrap_or_default();
        let updated = self.ask(UpdateThreadMetadata { id, git, daybreak_enabled, at_ms });
        work(async move {
            let record = updated.await?.ok_or_else(|| no_rollout(id))?;
            finish(move |threads, reply| {
                let thread = view::thread(&record, threads.presence(id), Vec::new());
                reply.ok(&ChangedThread { thread })
            })
        })
    }

    pub(super) fn archive(&self, params: &ThreadIdParams) -> Result<Work, RpcError> {
        let id = session_id(&params.thread_id)?;
        let archived = self.ask(SetArchived { id, archived: true, at_ms: self.parts.clock.unix_ms() });
        work(async move {
            archived.await?.ok_or_else(|| no_rollout(id))?;
            finish(move |threads, reply| {
                let outcome = threads.told_of_unloading(id, reply.ok(&Empty {}));
                outcome.tell(Audience::Everyone, ServerNotification::ThreadArchived { thread_id: id })
            })
        })
    }

    pub(super) fn unarchive(&self, params: &ThreadIdParams) -> Result<Work, RpcError> {
        let id = session_id(&params.thread_id)?;
        let unarchived = self.ask(SetArchived { id, archived: false, at_ms: self.parts.clock.unix_ms() });
        work(async move {
            let record = unarchived.await?.ok_or_else(|| no_archived_rollout(id))?;
            finish(move |_, reply| {
                let thread = view::thread(&record, Presence::Stored, Vec::new());
                let news = ServerNotification::ThreadUnarchived { thread_id: id };
                reply.ok(&ChangedThread { thread }).tell(Audience::Everyone, news)
            })
        })
    }

    pub(super) fn delete(&self, params: &ThreadIdParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        if self.is_ephemeral(id) {
            let text = format!("thread is not persisted and cannot be deleted: {id}");
            return Err(RpcError::invalid_request(text));
        }
        let deleted = self.ask(DeleteThread { id });
        work(async move {
            if !deleted.await? {
                return Err(no_rollout(id));
            }
            finish(move |threads, reply| {
                let outcome = threads.told_of_unloading(id, reply.ok(&Empty {}));
                outcome.tell(Audience::Everyone, ServerNotification::ThreadDeleted { thread_id: id })
            })
        })
    }

    pub(super) fn unsubscribe(&self, params: &ThreadIdParams, connection: ConnectionId) -> Result<Work, RpcError> {
        let thread = thread_id(&params.thread_id)?;
        let router = self.loaded.contains_key(&thread).then(|| self.parts.router.clone());
        work(async move {
            let status = match router {
                None => ThreadUnsubscribeStatus::NotLoaded,
                Some(router) => {
                    match router.send(Unsubscribe { connection, thread }).await.map_err(|_| unavailable_router())? {
                        true => ThreadUnsubscribeStatus::Unsubscribed,
                        false => ThreadUnsubscribeStatus::NotSubscribed,
                    }
                }
            };
            finish(move |_, reply| reply.ok(&ThreadUnsubscribeResponse { status }))
        })
    }

    fn told_of_unloading(&mut self, id: ThreadId, outcome: Outcome) -> Outcome {
        match self.unload(id) {
            Some(news) => outcome.tell(Audience::Everyone, news),
            None => outcome,
        }
    }

    fn refuse_ephemeral(&self, id: ThreadId) -> Result<(), RpcError> {
        if self.is_ephemeral(id) { Err(ephemeral_metadata(id)) } else { Ok(()) }
    }
}

fn check_git(git: &GitInfoUpdate) -> Result<(), RpcError> {
    let members = [("sha", &git.sha), ("branch", &git.branch), ("originUrl", &git.origin_url)];
    if members.iter().all(|(_, value)| value.is_none()) {
        return Err(RpcError::invalid_request("gitInfo must include at least one field"));
    }
    for (name, value) in members {
        if value.as_ref().is_some_and(|text| text.as_ref().is_some_and(|text| text.trim().is_empty())) {
            return Err(RpcError::invalid_request(format_args!("gitInfo.{name} must not be empty")));
        }
    }
    Ok(())
}
