//! Words for what a thread does not do.

use crate::protocol::RpcError;
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{CodexErrorInfo, NonSteerableTurnKind};

pub(super) fn no_words_during(turn_kind: NonSteerableTurnKind) -> RpcError {
    let info = CodexErrorInfo::ActiveTurnNotSteerable { turn_kind };
    let what = match turn_kind {
        NonSteerableTurnKind::Compact => "summarises the conversation",
        NonSteerableTurnKind::Review => "reviews changes",
    };
    RpcError::invalid_request(format_args!("the running turn {what} and takes no words"))
        .with_data(serde_json::json!({ "codexErrorInfo": info }))
}

pub(super) fn busy() -> RpcError {
    RpcError::invalid_request("a turn is running; wait until it has ended, or interrupt it")
}

pub(super) fn no_turn_to(what: &str) -> RpcError {
    RpcError::invalid_request(format_args!("no active turn to {what}"))
}

/// There is no goal that could be changed.
pub fn no_goal(id: ThreadId) -> RpcError {
    RpcError::invalid_request(format_args!("cannot update goal for thread {id}: no goal exists"))
}

/// A thread that is not on disk has neither a goal nor a queue.
pub fn not_on_disk() -> RpcError {
    RpcError::invalid_request("this thread is not on disk; goals and queues need one that is")
}
