//! What a thread brings to disk, and in which order.

use std::time::Duration;

use actix::prelude::*;
use tokio::time::timeout;

use super::*;
use crate::mailbox::start;
use crate::protocol::thread::SortDirection;
use crate::protocol::turn::TurnItemsView;
use crate::router::listener::listen;
use crate::store::messages::{
    InsertThread, LastTokenUsage, ListItems, ListTurns, ReadGoal, ReadTurns, RevertThread, Reverted, Until,
};
use crate::store::{self, Close, PageRequest, Store, ThreadRecord};
use crate::thread::steps::question;
use crate::thread::{Past, Revert, Thread, ThreadParts};
use crate::turn::{Report, TurnRules, TurnSetup, UserWords};
use crate::vital::Vitals;

/// Everything that is awaited in here is over in milliseconds.
const SOON: Duration = Duration::from_secs(60);

/// A thread that is on disk, and its database.
async fn thread() -> (Thread, ThreadId, Arc<Addr<Store>>) {
    let limits = Arc::new(Limits { store_mailbox_messages: 8, ..Limits::tiny() });
    let clock = Clock::system();
    let store = Store::in_memory(&limits, &Arc::default(), &Vitals::default()).unwrap();
    let record = ThreadRecord::of_a_test();
    let id = record.id;
    store::ask(&store, InsertThread(Box::new(record.clone()))).await.unwrap();
    let parts = ThreadParts {
        router: Router::new(limits, Arc::default(), clock.clone()).start(),
        turns: TurnSetup::offline(&store, &clock),
        store: store.clone(),
        work: TaskTracker::new(),
        history_bytes: 1,
        clock,
    };
    (Thread::new(Arc::new(record), Past::default(), parts), id, store)
}

/// Brings the text of a message in progress to disk; and then the end of the turn, if `ends`.
#[derive(Message)]
#[rtype(result = "()")]
struct Work {
    ends: bool,
}

impl Handler<Work> for Thread {
    type Result = ();

    fn handle(&mut self, Work { ends }: Work, ctx: &mut Self::Context) {
        self.state.begin(TURN, false, 1);
        self.state.report(TURN, vec![said(), event(&Reported::Started(0)), event(&Reported::Grew(0))], 1);
        self.record_progress(ctx);
        if ends {
            let steps = self.state.report(TURN, vec![event(&Reported::Ended(0))], 2);
            let record =
                steps.into_iter().find_map(|step| if let Step::Record(record) = step { Some(*record) } else { None });
            drop(store::ask(&self.parts.store, question(self.record.id, record.unwrap(), 2)));
        }
    }
}

/// Whether progress is on its way to disk, and whether there is some that is not.
#[derive(Message)]
#[rtype(result = "(bool, bool)")]
struct Progress;

impl Handler<Progress> for Thread {
    type Result = MessageResult<Progress>;

    fn handle(&mut self, _: Progress, _: &mut Self::Context) -> Self::Result {
        MessageResult((self.recording, !self.recording && self.state.unrecorded().is_some()))
    }
}

/// Waits until no progress is on its way to disk. Whether there is some that is not.
async fn settled(thread: &Addr<Thread>) -> bool {
    let settled = async {
        loop {
            if let (false, is_left) = thread.send(Progress).await.unwrap() {
                return is_left;
            }
        }
    };
    timeout(SOON, settled).await.unwrap()
}

#[actix_rt::test]
async fn the_progress_of_a_turn_never_takes_the_place_of_its_end() {
    let (thread, thread_id, store) = thread().await;
    let thread = start(1, thread);
    thread.send(Work { ends: true }).await.unwrap();
    settled(&thread).await;
    let turns = store::ask(&store, ReadTurns { thread_id }).await.unwrap();
    assert_eq!(turns.iter().map(|turn| turn.status).collect::<Vec<_>>(), [TurnStatus::Completed]);
}

#[actix_rt::test]
async fn progress_that_the_database_refused_is_brought_to_it_again() {
    let (thread, _, store) = thread().await;
    let thread = start(1, thread);
    store.send(Close).await.unwrap();
    thread.send(Work { ends: false }).await.unwrap();
    assert!(settled(&thread).await, "what was refused is not forgotten");
}

/// Removes the turn that [`Work`] begins.
fn revert(id: ThreadId) -> Revert {
    let page = || PageRequest { cursor: None, limit: Some(1), direction: SortDirection::Desc };
    let turns = ListTurns { thread_id: id, page: page(), items_view: TurnItemsView::NotLoaded };
    let items = ListItems { thread_id: id, turn_id: None, anchor: None, page: page() };
    let revert = RevertThread { id, until: Until::Before(TURN.to_owned()), at_ms: 3 };
    Revert((revert, (LastTokenUsage { thread_id: id }, ReadGoal { thread_id: id }), (turns, items)))
}

#[actix_rt::test]
async fn a_thread_is_reverted_while_no_turn_runs_and_begins_none_behind_that() {
    let (mut thread, thread_id, store) = thread().await;
    thread.rules = Some(TurnRules::of_a_test());
    let router = thread.parts.router.clone();
    let mut answers = listen(&router, ConnectionId(1)).await;
    let thread = start(1, thread);
    thread.send(Work { ends: false }).await.unwrap();
    settled(&thread).await;
    let refused = thread.send(revert(thread_id)).await.unwrap().map(|_| ()).unwrap_err();
    assert!(refused.message.starts_with("a turn is running"), "{refused:?}");

    let report = |event| Report { turn_id: TURN.into(), events: vec![event] };
    thread.send(report(event(&Reported::Ended(0)))).await.unwrap();
    let (reverted, ..) = thread.send(revert(thread_id)).await.unwrap().unwrap();
    assert!(matches!(reverted, Reverted::Thread(_)), "{reverted:?}");
    let late = UserWords {
        reply: reply(router),
        request: UserRequest::Start,
        client_id: None,
        content: Vec::new(),
        context: Vec::new(),
    };
    thread.send(report(TurnEvent::Unheard(vec![late]))).await.unwrap();
    let answer = answers.next().await;
    assert!(answer.text().contains("reverted before the agent heard this"), "{}", answer.text());
    assert!(store::ask(&store, ReadTurns { thread_id }).await.unwrap().is_empty());
}

/// The turn that runs.
#[derive(Message)]
#[rtype(result = "Option<String>")]
struct Running;

impl Handler<Running> for Thread {
    type Result = Option<String>;

    fn handle(&mut self, _: Running, _: &mut Self::Context) -> Option<String> {
        self.state.running().map(str::to_owned)
    }
}

#[actix_rt::test]
async fn what_a_client_added_and_cannot_be_kept_ends_no_turn() {
    let (thread, _, store) = thread().await;
    let router = thread.parts.router.clone();
    let mut answers = listen(&router, ConnectionId(1)).await;
    let thread = start(1, thread);
    thread.send(Work { ends: false }).await.unwrap();
    settled(&thread).await;
    store.send(Close).await.unwrap();
    let added = TurnEvent::Injected { history: Vec::new(), reply: reply(router) };
    thread.send(Report { turn_id: "an older one".into(), events: vec![added] }).await.unwrap();
    let answer = answers.next().await;
    assert!(answer.text().contains("\"error\""), "{}", answer.text());
    assert_eq!(thread.send(Running).await.unwrap().as_deref(), Some(TURN));
}
