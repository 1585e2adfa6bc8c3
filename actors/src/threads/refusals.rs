//! Errors with the texts that existing clients know (spec: local transports 7.2). The text for an unknown thread
//! depends on the method.

use crate::protocol::RpcError;
use crate::protocol::thread::ThreadId;

pub(super) fn thread_id(text: &str) -> Result<ThreadId, RpcError> {
    ThreadId::parse(text).map_err(|e| RpcError::invalid_request(format_args!("invalid thread id: {e}")))
}

pub(super) fn session_id(text: &str) -> Result<ThreadId, RpcError> {
    ThreadId::parse(text).map_err(|e| RpcError::invalid_request(format_args!("invalid session id: {e}")))
}

pub(super) fn thread_not_found(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("thread not found: {id}"))
}

pub(super) fn thread_not_loaded(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("thread not loaded: {id}"))
}

pub(super) fn no_rollout(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("no rollout found for thread id {id}"))
}

/// Archived threads can neither be resumed nor forked.
pub(super) fn archived(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!(
        "session {id} is archived. Run `codex unarchive {id}` to unarchive it first."
    ))
}

pub(super) fn no_archived_rollout(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("no archived rollout found for thread id {id}"))
}

pub(super) fn ephemeral_metadata(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("ephemeral thread does not support metadata updates: {id}"))
}

pub(super) fn unavailable_router() -> RpcError {
    RpcError::internal("the router has ended; restart the server")
}
