//! Law 10 at the level of the open batch.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tokio::sync::oneshot;

use super::super::database::Database;
use super::super::files::Files;
use super::super::{Question, StoreError, open, sqlite};
use super::*;

type Answer = oneshot::Receiver<Result<(), StoreError>>;

fn file() -> (tempfile::TempDir, std::path::PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app-server.sqlite");
    (directory, path)
}

fn opened(path: &std::path::Path) -> Database {
    Database::new(open::open(path, sqlite::BUSY_TIMEOUT).unwrap(), path.into(), Some(Files::at(path)), Arc::default())
}

fn write(
    database: &mut Database,
    run: impl FnOnce(&mut SqliteConnection) -> QueryResult<()> + Send + 'static,
) -> Answer {
    let (reply, answer) = oneshot::channel();
    database.write(run, reply);
    answer
}

fn insert_into(database: &mut Database, thread: &ThreadRecord) -> Answer {
    let question = InsertThread(Box::new(thread.clone()));
    write(database, |db| question.run(db))
}

fn names(database: &mut Database) -> Vec<String> {
    let (reply, mut answer) = oneshot::channel();
    database.read(
        |db| {
            use super::super::schema::threads;
            threads::table.select(threads::name.assume_not_null()).order(threads::name).load(db)
        },
        reply,
    );
    answer.try_recv().unwrap().unwrap()
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_disk() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut first = insert_into(&mut database, &named("first", 1));
    assert!(first.try_recv().is_err(), "answered before the commit");
    database.commit();
    assert_eq!(first.try_recv().unwrap(), Ok(()));

    let mut lost = insert_into(&mut database, &named("lost", 2));
    drop(database); // What a kill leaves: the connection is gone, the batch was never committed.
    assert!(lost.try_recv().is_err(), "what is lost was acknowledged");
    assert_eq!(names(&mut opened(&path)), ["first"]);
}

#[test]
fn a_write_that_fails_harms_no_other_of_its_batch() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let thread = named("a", 1);
    let mut a = insert_into(&mut database, &thread);
    let mut again = insert_into(&mut database, &thread);
    let mut panicked = write(&mut database, |_| panic!("a panic that a test wants"));
    let mut b = insert_into(&mut database, &named("b", 2));
    assert!(matches!(again.try_recv().unwrap(), Err(StoreError::Internal(_))));
    assert!(matches!(panicked.try_recv().unwrap(), Err(StoreError::Internal(_))));
    database.commit();
    assert_eq!((a.try_recv().unwrap(), b.try_recv().unwrap()), (Ok(()), Ok(())));
    assert_eq!(database.commits, 1);
    assert_eq!(names(&mut database), ["a", "b"]);
}

#[test]
fn half_of_a_failed_write_is_not_kept() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let question = InsertThread(Box::new(named("half", 1)));
    let mut answer = write(&mut database, |db| {
        question.run(db)?;
        db.batch_execute("this is not SQL")
    });
    assert!(answer.try_recv().unwrap().is_err());
    assert_eq!(names(&mut database), Vec::<String>::new());
}

#[test]
fn when_the_commit_fails_every_answer_of_the_batch_says_so() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut good = insert_into(&mut database, &named("good", 1));
    // A turn without a thread, found out only when the transaction ends.
    let mut orphan = write(&mut database, |db| {
        db.batch_execute(
            "PRAGMA defer_foreign_keys = ON;
             INSERT INTO turns (thread_id, ordinal, id, status) VALUES ('nobody', 1, 't', '\"completed\"')",
        )
    });
    database.commit();
    for answer in [&mut good, &mut orphan] {
        assert!(matches!(answer.try_recv().unwrap(), Err(StoreError::Internal(_))));
    }
    let mut next = insert_into(&mut database, &named("next", 2));
    database.commit();
    assert_eq!(next.try_recv().unwrap(), Ok(()), "the Store did not recover");
    assert_eq!(names(&mut database), ["next"]);
}

#[test]
fn when_sqlite_gives_up_the_transaction_earlier_writes_are_not_acknowledged() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut earlier = insert_into(&mut database, &named("earlier", 1));
    let mut fatal = write(&mut database, |db| db.batch_execute("ROLLBACK"));
    assert!(earlier.try_recv().unwrap().is_err());
    assert!(fatal.try_recv().unwrap().is_err());
    let mut next = insert_into(&mut database, &named("next", 2));
    database.commit();
    assert_eq!(next.try_recv().unwrap(), Ok(()));
    assert_eq!(names(&mut database), ["next"]);
}

#[test]
fn a_read_sees_only_what_is_committed_and_lets_the_answers_go() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut written = insert_into(&mut database, &named("seen", 1));
    assert_eq!(names(&mut database), ["seen"]);
    assert_eq!(written.try_recv().unwrap(), Ok(()));
    assert_eq!(database.commits, 1);
}

#[test]
fn a_full_disk_fails_one_request_and_the_store_lives_on() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut pages = write(&mut database, |db| db.batch_execute("PRAGMA max_page_count = 1"));
    database.commit();
    assert_eq!(pages.try_recv().unwrap(), Ok(()));
    let mut big = named("big", 1);
    big.preview = "x".repeat(1 << 20);
    assert_eq!(database.health(), Ok(()));
    assert_eq!(insert_into(&mut database, &big).try_recv().unwrap(), Err(StoreError::Full(path)));
    assert_eq!(names(&mut database), Vec::<String>::new());
    // What is small still fits.
    assert_eq!(database.health(), Ok(()));
}

#[test]
fn a_database_that_becomes_read_only_fails_one_request() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    write(&mut database, |db| db.batch_execute("PRAGMA query_only = ON"));
    database.commit();
    assert_eq!(insert_into(&mut database, &named("a", 1)).try_recv().unwrap(), Err(StoreError::ReadOnly(path.clone())));
    assert_eq!(names(&mut database), Vec::<String>::new());
    assert_eq!(database.health(), Err(StoreError::ReadOnly(path)));
}

#[test]
fn writes_wait_together_while_reads_pass_them() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut other = open::open(&path, sqlite::BUSY_TIMEOUT).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut waiting: Vec<Answer> =
        ["a", "b", "c"].iter().map(|name| insert_into(&mut database, &named(name, 1))).collect();
    database.retry(false);
    assert_eq!(names(&mut database), Vec::<String>::new());
    assert!(waiting.iter_mut().all(|answer| answer.try_recv().is_err()), "they are still waiting");
    database.retry(true);
    for mut answer in waiting {
        assert_eq!(answer.try_recv().unwrap(), Err(StoreError::Locked(path.clone())));
    }
    let brief = std::time::Duration::from_millis(20);
    assert_eq!(open::open(&path, brief).err(), Some(StoreError::Locked(path.clone())));

    let mut waiting: Vec<Answer> = ["d", "e"].iter().map(|name| insert_into(&mut database, &named(name, 1))).collect();
    other.batch_execute("COMMIT").unwrap();
    // One that comes now stands in line too.
    waiting.push(insert_into(&mut database, &named("f", 1)));
    database.retry(true);
    for mut answer in waiting {
        assert_eq!(answer.try_recv().unwrap(), Ok(()));
    }
    assert_eq!((names(&mut database), database.commits), (vec!["d".into(), "e".into(), "f".into()], 1));
}

#[test]
fn nothing_is_acknowledged_that_nobody_can_find_again() {
    for lost in ["", "-wal", "-shm"] {
        let (_directory, path) = file();
        let mut database = opened(&path);
        let mut kept = insert_into(&mut database, &named("kept", 1));
        database.commit();
        assert_eq!(kept.try_recv().unwrap(), Ok(()));
        let mut open_batch = insert_into(&mut database, &named("lost", 2));
        std::fs::rename(sqlite::beside(&path, lost), sqlite::beside(&path, ".away")).unwrap();
        database.commit();
        let mut later = insert_into(&mut database, &named("later", 3));
        for answer in [&mut open_batch, &mut later] {
            assert_eq!(answer.try_recv().unwrap(), Err(StoreError::Replaced(path.clone())), "without {lost:?}");
        }
        assert_eq!(database.replaced(), Some(path.clone()));
        assert_eq!(database.health(), Err(StoreError::Replaced(path.clone())));
    }
}

#[test]
fn another_database_at_the_path_is_not_touched() {
    let (directory, path) = file();
    let mut database = opened(&path);
    insert_into(&mut database, &named("old", 1));
    database.commit();
    for file in ["", "-wal", "-shm"] {
        std::fs::rename(sqlite::beside(&path, file), directory.path().join(format!("away{file}"))).unwrap();
    }
    let mut new = opened(&path);
    insert_into(&mut new, &named("new", 1));
    new.commit();
    database.close();
    assert!(sqlite::beside(&path, "-wal").exists(), "it belongs to the new one");
    assert_eq!(names(&mut new), ["new"]);
}

#[test]
fn a_clean_end_leaves_one_file_that_holds_everything() {
    let (directory, path) = file();
    let mut database = opened(&path);
    let mut written = insert_into(&mut database, &named("kept", 1));
    database.close();
    assert_eq!(written.try_recv().unwrap(), Ok(()));
    let copy = directory.path().join("copy.sqlite");
    std::fs::copy(&path, &copy).unwrap();
    assert!(!sqlite::beside(&path, "-wal").exists() && !sqlite::beside(&path, "-shm").exists());
    assert_eq!(names(&mut opened(&copy)), ["kept"]);
}

#[test]
fn the_log_becomes_short_when_nothing_is_written() {
    let (_directory, path) = file();
    let mut database = opened(&path);
    let mut large = named("large", 1);
    large.preview = "x".repeat(1 << 20);
    insert_into(&mut database, &large);
    database.commit();
    assert!(sqlite::beside(&path, "-wal").metadata().unwrap().len() > 1 << 20);
    database.tidy();
    assert_eq!(sqlite::beside(&path, "-wal").metadata().unwrap().len(), 0);
    let mut later = insert_into(&mut database, &named("later", 2));
    database.commit();
    assert_eq!(later.try_recv().unwrap(), Ok(()));
}
