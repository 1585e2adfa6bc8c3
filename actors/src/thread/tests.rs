//! The state machine of a thread, without actors: whatever a turn reports, clients see a turn that makes sense. And the
//! thread with its database.

mod disk;

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::Addr;
use proptest::prelude::*;
use tokio_util::task::TaskTracker;

use super::state::ThreadState;
use super::step::Step;
use crate::clock::Clock;
use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::limits::Limits;
use crate::protocol::item::{AgentMessage, Item, ItemKind, UserMessage};
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{CodexErrorInfo, TurnError, TurnStatus};
use crate::protocol::{RequestId, ServerNotification};
use crate::reply::{Received, Reply};
use crate::router::Router;
use crate::turn::{Growth, TurnEvent, TurnOutcome, UserRequest};

const TURN: &str = "turn";

fn item(id: &str, kind: ItemKind) -> Item {
    Item { kind, id: id.to_owned(), started_at_ms: Some(1), completed_at_ms: None }
}

fn message(id: usize) -> Item {
    item(&format!("item {id}"), ItemKind::AgentMessage(AgentMessage::default()))
}

fn reply(router: Arc<Addr<Router>>) -> Reply {
    Reply::new(
        ConnectionId(1),
        Received::of_a_test(RequestId::Integer(1)),
        InFlight::of_a_test(),
        router,
        TaskTracker::new().token(),
    )
}

fn said() -> TurnEvent {
    let router = Router::new(Arc::new(Limits::tiny()), Arc::default(), Clock::system()).start();
    let item = item("words", ItemKind::UserMessage(UserMessage::default()));
    TurnEvent::Said { item, history: Vec::new(), reply: reply(router), request: UserRequest::Start }
}

/// What a turn might report, in any order.
#[derive(Clone, Debug)]
enum Reported {
    Started(usize),
    Grew(usize),
    Completed(usize),
    Remembered,
    Ended(u8),
}

fn reported() -> impl Strategy<Value = Vec<Reported>> {
    let one = prop_oneof![
        4 => (0_usize..4).prop_map(Reported::Started),
        4 => (0_usize..4).prop_map(Reported::Grew),
        4 => (0_usize..4).prop_map(Reported::Completed),
        1 => Just(Reported::Remembered),
        1 => (0_u8..3).prop_map(Reported::Ended),
    ];
    proptest::collection::vec(one, 0..40)
}

fn event(reported: &Reported) -> TurnEvent {
    let error = || TurnError {
        message: "m".to_owned(),
        codex_error_info: Some(CodexErrorInfo::Other),
        additional_details: None,
        misalignment: Default::default(),
    };
    match reported {
        Reported::Started(id) => TurnEvent::ItemStarted(message(*id)),
        Reported::Grew(id) => {
            TurnEvent::Grew { item_id: format!("item {id}").into(), growth: Growth::Text("more".to_owned()) }
        }
        Reported::Completed(id) => {
            TurnEvent::ItemCompleted { item: Item { completed_at_ms: Some(2), ..message(*id) }, history: Vec::new() }
        }
        Reported::Remembered => TurnEvent::Remembered(Vec::new()),
        Reported::Ended(0) => TurnEvent::Ended { outcome: TurnOutcome::Completed },
        Reported::Ended(1) => TurnEvent::Ended { outcome: TurnOutcome::Interrupted },
        Reported::Ended(_) => TurnEvent::Ended { outcome: TurnOutcome::Failed(error()) },
    }
}

/// The notifications among the steps of a turn that began, reported so, and was ended if it had not ended by itself.
fn told(reports: &[Reported]) -> Vec<ServerNotification> {
    let mut state = ThreadState::new(ThreadId::new(), None);
    state.begin(TURN, false, 1);
    let mut steps = state.report(TURN, vec![said()], 1);
    // A turn reports an item as started once, and completes only those.
    let (mut started, mut open) = (HashSet::new(), HashSet::new());
    for reported in reports {
        let makes_sense = match reported {
            Reported::Started(id) => started.insert(*id) && open.insert(*id),
            Reported::Completed(id) => open.remove(id),
            _ => true,
        };
        if makes_sense {
            steps.extend(state.report(TURN, vec![event(reported)], 2));
        }
    }
    steps.extend(state.report(TURN, vec![TurnEvent::Ended { outcome: TurnOutcome::Completed }], 3));
    assert!(state.running().is_none());
    steps.into_iter().filter_map(|step| if let Step::Tell(told) = step { Some(told) } else { None }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_item_that_started_completes_once_before_the_turn_does(reports in reported()) {
        let told = actix_rt::System::new().block_on(async { told(&reports) });
        let (mut open, mut ended) = (HashSet::new(), 0);
        for notification in &told {
            match notification {
                ServerNotification::ItemStarted(started) => {
                    prop_assert!(open.insert(started.item.summary().unwrap().id), "started twice");
                    prop_assert_eq!(ended, 0, "nothing starts after the end");
                }
                ServerNotification::ItemCompleted(completed) => {
                    prop_assert!(open.remove(&completed.item.summary().unwrap().id), "completed without a start");
                }
                ServerNotification::TurnCompleted(completed) => {
                    ended += 1;
                    prop_assert!(open.is_empty(), "{:?} are still in progress", open);
                    prop_assert!(completed.turn.status != TurnStatus::InProgress);
                }
                _ => {}
            }
        }
        prop_assert_eq!(ended, 1, "a turn ends once");
        prop_assert!(matches!(told.last(), Some(ServerNotification::TurnCompleted(_))), "and nothing comes after that");
    }
}

#[actix_rt::test]
async fn what_is_told_as_complete_is_recorded_before() {
    let mut state = ThreadState::new(ThreadId::new(), None);
    state.begin(TURN, false, 1);
    let steps = state.report(TURN, vec![said()], 1);
    assert!(matches!(steps.first(), Some(Step::Record(record)) if record.items.len() == 1));
    assert!(matches!(steps.get(1), Some(Step::Answer(..))), "the request is answered when the words are on disk");
    state.report(TURN, vec![event(&Reported::Started(0)), event(&Reported::Grew(0))], 2);
    assert!(state.unrecorded().is_some_and(|record| record.items.len() == 1), "the text so far is brought to disk");
    assert!(state.unrecorded().is_none(), "once");
    let steps = state.report(TURN, vec![event(&Reported::Completed(0))], 3);
    assert!(matches!(&steps[..], [Step::Record(_), Step::Tell(ServerNotification::ItemCompleted(_))]));
}

#[actix_rt::test]
async fn what_an_older_turn_reports_changes_nothing() {
    let mut state = ThreadState::new(ThreadId::new(), None);
    state.begin("new", false, 1);
    assert!(state.report("old", vec![event(&Reported::Started(0)), event(&Reported::Ended(0))], 2).is_empty());
    assert_eq!(state.running(), Some("new"));
}
