//! Tests of the registry's own behaviour; its answers to clients are tested over the wire.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::catalog::CatalogSources;
use crate::limits::Seconds;
use crate::protocol::thread::ThreadInjectItemsParams;
use crate::store::ThreadRecord;
use crate::thread::{Past, Thread};
use crate::turn::TurnSetup;
use crate::vital::Vitals;

fn record() -> Arc<ThreadRecord> {
    Arc::new(ThreadRecord::of_a_test())
}

fn registry(home: &std::path::Path) -> Threads {
    let limits = Arc::new(Limits { thread_idle_seconds: Seconds(60), ..Limits::tiny() });
    let clock = Clock::system();
    let store = Store::in_memory(&limits, &Arc::default(), &Vitals::default()).unwrap();
    Threads::new(ThreadsParts {
        host: Host {
            codex_home: home.into(),
            session_source: "cli".into(),
            cwd: home.into(),
            os: "Linux".into(),
            terminal: "none".into(),
        },
        router: Router::new(limits.clone(), Arc::default(), clock.clone()).start(),
        turns: TurnSetup::offline(&store, &clock),
        work: TaskTracker::new(),
        store,
        catalog: Catalog::start(CatalogSources::new(home.into(), home.into()), &limits, &Vitals::default()),
        clock,
        encoder: Encoder::new(1),
        limits,
    })
}

#[actix_rt::test]
async fn a_thread_that_nobody_follows_leaves_memory_after_its_time() {
    let home = tempfile::tempdir().unwrap();
    let mut threads = registry(home.path());
    let (followed, lonely) = (record(), record());
    threads.load(&followed, Past::default());
    threads.load(&lonely, Past::default());
    let followers = HashSet::from([followed.id]);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    threads.unload_idle(&followers, at(0));
    threads.unload_idle(&followers, at(59));
    assert_eq!(threads.loaded.len(), 2);
    threads.unload_idle(&followers, at(60));
    assert_eq!(threads.loaded.keys().collect::<Vec<_>>(), [&followed.id]);
}

#[actix_rt::test]
async fn a_thread_that_is_loaded_again_begins_its_time_anew() {
    let home = tempfile::tempdir().unwrap();
    let mut threads = registry(home.path());
    let lonely = record();
    threads.load(&lonely, Past::default());
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    threads.unload_idle(&HashSet::new(), at(0));
    threads.load(&lonely, Past::default());
    threads.unload_idle(&HashSet::new(), at(60));
    assert_eq!(threads.loaded.len(), 1, "its 60 seconds began just now");
    threads.unload_idle(&HashSet::new(), at(120));
    assert!(threads.loaded.is_empty());
}

#[actix_rt::test]
async fn a_resumed_thread_keeps_what_it_was_loaded_with() {
    let home = tempfile::tempdir().unwrap();
    let mut threads = registry(home.path());
    let first = record();
    threads.load(&first, Past::default());
    let again = Arc::new(ThreadRecord { cwd: "/elsewhere".into(), ..first.as_ref().clone() });
    threads.load(&again, Past::default());
    assert_eq!(threads.describe(first.id).unwrap().await.unwrap().cwd, "/");
}

/// Ends a thread's actor, as nothing but a fault of the server does.
#[derive(Message)]
#[rtype(result = "()")]
struct Fail;

impl Handler<Fail> for Thread {
    type Result = ();

    fn handle(&mut self, _: Fail, ctx: &mut Self::Context) {
        ctx.terminate();
    }
}

#[actix_rt::test]
async fn a_thread_whose_actor_has_failed_is_loaded_again() {
    let home = tempfile::tempdir().unwrap();
    let mut threads = registry(home.path());
    let failing = record();
    threads.load(&failing, Past::default());
    let _ = threads.loaded[&failing.id].thread.send(Fail).await;
    assert!(!threads.loaded[&failing.id].thread.connected());
    threads.load(&failing, Past::default());
    assert!(threads.loaded[&failing.id].thread.connected());
}

#[actix_rt::test]
async fn large_items_are_read_by_a_worker() {
    let home = tempfile::tempdir().unwrap();
    let mut threads = registry(home.path());
    let record = record();
    threads.load(&record, Past::default());
    let inject = |bytes: usize| {
        let item = format!(r#"{{"type":"message","role":"user","content":"{}"}}"#, "x".repeat(bytes));
        let items = vec![serde_json::value::RawValue::from_string(item).unwrap()];
        threads.inject_items(ThreadInjectItemsParams { thread_id: record.id.to_string(), items })
    };
    assert!(matches!(inject(1), Ok(Work::Decided(_))));
    let Ok(Work::Awaited(work)) = inject(100_000) else { panic!("read on the hub") };
    assert!(work.await.is_ok());
}
