//! Classifies requests for the schedule.

use super::ThreadsRequest;
use super::schedule::{Kind, Request, Ticket};
use crate::protocol::thread::{ThreadId, ThreadRequest};

/// The ticket of a request. A request with an invalid thread id is about no thread, and is refused in its turn.
pub(super) fn ticket(request: &ThreadsRequest) -> Ticket {
    let about = request.request.thread_id().and_then(|id| ThreadId::parse(id).ok());
    Ticket::new(request.reply.connection(), about, kind(&request.request), may_be_large(&request.request))
}

fn kind(request: &ThreadRequest) -> Kind {
    use ThreadRequest as Request;
    match request {
        Request::Start(_) | Request::Fork(_) => Kind::Create,
        Request::Read(_)
        | Request::List(_)
        | Request::Search(_)
        | Request::SearchStream(_)
        | Request::SearchCancel(_)
        | Request::SearchStreamCancel(_)
        | Request::LoadedList(_)
        | Request::TurnsList(_)
        | Request::ItemsList(_)
        | Request::GoalGet(_)
        | Request::QueueList(_)
        | Request::AttachmentList(_)
        | Request::BackgroundTerminalsList(_)
        | Request::McpServerStatusList(_)
        | Request::McpServerToolCall(_)
        | Request::McpResourceRead(_)
        | Request::McpServerReload(())
        | Request::ReadStateUpdate(_) => Kind::Look,
        Request::NameSet(_) | Request::MetadataUpdate(_) => Kind::Write,
        Request::Resume(_)
        | Request::Archive(_)
        | Request::Unarchive(_)
        | Request::Delete(_)
        | Request::Unsubscribe(_)
        | Request::CompactStart(_)
        | Request::SettingsUpdate(_)
        | Request::InjectItems(_)
        | Request::Revert(_)
        | Request::GoalSet(_)
        | Request::GoalClear(_)
        | Request::QueueAdd(_)
        | Request::QueueDelete(_)
        | Request::BackgroundTerminalsTerminate(_)
        | Request::BackgroundTerminalsClean(_)
        | Request::ShellCommand(_)
        | Request::TurnStart(_)
        | Request::ReviewStart(_)
        | Request::TurnSteer(_)
        | Request::TurnInterrupt(_) => Kind::Change,
    }
}

/// Whether the answer may hold any amount of history.
fn may_be_large(request: &ThreadRequest) -> bool {
    use ThreadRequest as Request;
    match request {
        Request::Resume(params) => !params.own.exclude_turns || params.own.initial_turns_page.is_some(),
        Request::Fork(params) => !params.own.exclude_turns,
        Request::Read(params) => params.include_turns,
        Request::List(_)
        | Request::Search(_)
        | Request::SearchStream(_)
        | Request::TurnsList(_)
        | Request::ItemsList(_) => true,
        Request::Start(_)
        | Request::SearchCancel(_)
        | Request::SearchStreamCancel(_)
        | Request::LoadedList(_)
        | Request::NameSet(_)
        | Request::MetadataUpdate(_)
        | Request::Archive(_)
        | Request::Unarchive(_)
        | Request::Delete(_)
        | Request::Unsubscribe(_)
        | Request::GoalGet(_)
        | Request::QueueList(_)
        | Request::AttachmentList(_)
        | Request::BackgroundTerminalsList(_)
        | Request::McpServerStatusList(_)
        | Request::McpServerToolCall(_)
        | Request::McpResourceRead(_)
        | Request::McpServerReload(())
        | Request::ReadStateUpdate(_)
        | Request::CompactStart(_)
        | Request::SettingsUpdate(_)
        | Request::InjectItems(_)
        | Request::Revert(_)
        | Request::GoalSet(_)
        | Request::GoalClear(_)
        | Request::QueueAdd(_)
        | Request::QueueDelete(_)
        | Request::BackgroundTerminalsTerminate(_)
        | Request::BackgroundTerminalsClean(_)
        | Request::ShellCommand(_)
        | Request::TurnStart(_)
        | Request::ReviewStart(_)
        | Request::TurnSteer(_)
        | Request::TurnInterrupt(_) => false,
    }
}

impl Request for ThreadsRequest {
    fn peer_has_drained(&self) -> bool {
        self.reply.peer_has_drained()
    }
}
