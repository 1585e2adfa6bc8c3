//! The actor: its mailbox, its batches, its end.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix::prelude::*;
use futures_util::FutureExt;
use futures_util::future::join_all;

use super::super::messages::LoadThread;
use super::super::{Store, StoreError, ask, open, sqlite};
use super::*;
use crate::limits::Limits;
use crate::vital::Vitals;

/// Holds up the Store's thread until the test lets go.
struct HoldUp {
    arrived: mpsc::Sender<()>,
    let_go: mpsc::Receiver<()>,
}

impl Question for HoldUp {
    type Answer = ();
    const WRITES: bool = false;

    fn run(self, _: &mut SqliteConnection) -> QueryResult<()> {
        self.arrived.send(()).unwrap();
        self.let_go.recv_timeout(SOON).unwrap();
        Ok(())
    }
}

/// Panics in the middle of a read.
struct Panic;

impl Question for Panic {
    type Answer = ();
    const WRITES: bool = false;

    fn run(self, _: &mut SqliteConnection) -> QueryResult<()> {
        panic!("a panic that a test wants")
    }
}

#[derive(Message)]
#[rtype(result = "u64")]
struct Commits;

impl Handler<Commits> for Store {
    type Result = u64;

    fn handle(&mut self, _: Commits, _: &mut Self::Context) -> u64 {
        self.database.as_ref().unwrap().commits
    }
}

fn limits(store_mailbox_messages: usize) -> Limits {
    Limits { store_mailbox_messages, ..Limits::tiny() }
}

/// What is awaited in here is over in milliseconds; a hang must not hold the suite up.
const SOON: Duration = Duration::from_secs(60);

/// Runs `test` in a system of its own.
fn run(test: impl Future<Output = ()>) {
    System::new().block_on(async { tokio::time::timeout(SOON, test).await.expect("the Store answers") });
}

/// Keeps the Store busy; the sender lets it go.
fn hold_up(store: &Addr<Store>) -> mpsc::Sender<()> {
    let (arrived, arrival) = mpsc::channel();
    let (release, let_go) = mpsc::channel();
    drop(ask(store, HoldUp { arrived, let_go }));
    arrival.recv_timeout(SOON).unwrap();
    release
}

#[test]
fn writes_that_wait_together_share_one_commit() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let store =
            Store::open(&directory.path().join("app-server.sqlite"), &limits(64), &Arc::default(), &Vitals::default())
                .unwrap();
        let release = hold_up(&store);
        let threads: Vec<_> = (0..50).map(|at| named("n", at)).collect();
        let answers: Vec<_> =
            threads.iter().map(|thread| ask(&store, InsertThread(Box::new(thread.clone())))).collect();
        release.send(()).unwrap();
        assert_eq!(join_all(answers).await, vec![Ok(()); 50]);
        assert_eq!(store.send(Commits).await.unwrap(), 1);
        assert_eq!(ask(&store, LoadThread { id: threads[49].id }).await, Ok(Some(threads[49].clone())));
    });
}

#[test]
fn a_batch_is_no_larger_than_the_mailbox() {
    run(async {
        let store = Store::in_memory(&limits(1), &Arc::default(), &Vitals::default()).unwrap();
        for at in 0..3 {
            assert_eq!(ask(&store, InsertThread(Box::new(named("n", at)))).await, Ok(()));
        }
        assert_eq!(store.send(Commits).await.unwrap(), 3);
    });
}

#[test]
fn the_mailbox_is_bounded_exactly() {
    run(async {
        for capacity in [1, 4] {
            let store = Store::in_memory(&limits(capacity), &Arc::default(), &Vitals::default()).unwrap();
            let release = hold_up(&store);
            let id = ThreadId::new();
            let waiting: Vec<_> = (0..capacity).map(|_| ask(&store, LoadThread { id })).collect();
            assert_eq!(ask(&store, LoadThread { id }).now_or_never(), Some(Err(StoreError::Busy)));
            release.send(()).unwrap();
            assert_eq!(join_all(waiting).await, vec![Ok(None); capacity]);
            assert_eq!(ask(&store, LoadThread { id }).await, Ok(None), "there is room again");
        }
    });
}

#[test]
fn a_panic_fails_one_question_and_the_store_lives_on() {
    run(async {
        let store = Store::in_memory(&limits(8), &Arc::default(), &Vitals::default()).unwrap();
        assert!(matches!(ask(&store, Panic).await, Err(StoreError::Internal(_))));
        let thread = named("n", 1);
        assert_eq!(ask(&store, InsertThread(Box::new(thread.clone()))).await, Ok(()));
        assert_eq!(ask(&store, LoadThread { id: thread.id }).await, Ok(Some(thread)));
    });
}

#[test]
fn what_was_asked_before_the_last_address_goes_is_still_done() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app-server.sqlite");
        let store = Store::open(&path, &limits(8), &Arc::default(), &Vitals::default()).unwrap();
        let thread = named("n", 1);
        let answer = ask(&store, InsertThread(Box::new(thread.clone())));
        drop(store);
        assert_eq!(answer.await, Ok(()));
        let mut db = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
        assert_eq!(LoadThread { id: thread.id }.run(&mut db), Ok(Some(thread)));
    });
}
