//! One thread: what is kept, changed, put away and deleted.

use super::super::messages::{DeleteThread, LoadThread, SetArchived, SetThreadName, UpdateThreadMetadata};
use super::*;
use crate::protocol::thread::{ActivePermissionProfile, GitInfoUpdate, GranularApproval};

#[test]
fn every_member_of_a_thread_is_kept() {
    let mut thread = named("n", 1);
    thread.session_id = ThreadId::new();
    thread.forked_from_id = Some(ThreadId::new());
    thread.preview = "hello".into();
    (thread.updated_at_ms, thread.recency_at_ms, thread.archived_at_ms) = (2, 3, Some(4));
    thread.source = SessionSource::Custom("my \"editor\"".into());
    thread.thread_source = Some("user".into());
    thread.history_mode = ThreadHistoryMode::Legacy;
    thread.git = GitInfo { sha: Some("abc".into()), branch: Some("main".into()), origin_url: Some("u".into()) };
    thread.daybreak_enabled = Some(false);
    thread.settings.approval_policy = AskForApproval::Granular(GranularApproval {
        sandbox_approval: true,
        rules: false,
        skill_approval: true,
        request_permissions: false,
        mcp_elicitations: true,
    });
    thread.settings.sandbox_policy = SandboxPolicy::WorkspaceWrite {
        writable_roots: vec!["/a".into()],
        network_access: true,
        exclude_tmpdir_env_var: true,
        exclude_slash_tmp: false,
    };
    thread.settings.active_permission_profile = Some(ActivePermissionProfile { id: ":p".into(), extends: None });
    let mut db = database(&[&thread]);
    assert_eq!(LoadThread { id: thread.id }.run(&mut db), Ok(Some(thread)));
    assert_eq!(LoadThread { id: ThreadId::new() }.run(&mut db), Ok(None));
}

#[test]
fn a_name_changes_the_thread_and_nothing_else() {
    let (thread, other) = (named("old", 1), named("other", 2));
    let mut db = database(&[&thread, &other]);
    assert_eq!(SetThreadName { id: thread.id, name: "new".into(), at_ms: 7 }.run(&mut db), Ok(true));
    let renamed = LoadThread { id: thread.id }.run(&mut db).unwrap().unwrap();
    assert_eq!(renamed, ThreadRecord { name: Some("new".into()), updated_at_ms: 7, ..thread });
    assert_eq!(LoadThread { id: other.id }.run(&mut db), Ok(Some(other)));
    assert_eq!(SetThreadName { id: ThreadId::new(), name: "x".into(), at_ms: 7 }.run(&mut db), Ok(false));
}

#[test]
fn absent_git_members_stay_and_null_ones_are_cleared() {
    let mut thread = named("n", 1);
    thread.git = GitInfo { sha: Some("abc".into()), branch: Some("main".into()), origin_url: None };
    let mut db = database(&[&thread]);
    let git = GitInfoUpdate { sha: None, branch: Some(None), origin_url: Some(Some("url".into())) };
    let update = UpdateThreadMetadata { id: thread.id, git, daybreak_enabled: Some(true), at_ms: 5 };
    let updated = update.run(&mut db).unwrap().unwrap();
    assert_eq!(updated.git, GitInfo { sha: Some("abc".into()), branch: None, origin_url: Some("url".into()) });
    assert_eq!((updated.daybreak_enabled, updated.updated_at_ms), (Some(true), 5));
}

#[test]
fn a_thread_is_put_away_once_and_taken_out_once() {
    let thread = named("n", 1);
    let mut db = database(&[&thread]);
    let mut set = |archived, at_ms| SetArchived { id: thread.id, archived, at_ms }.run(&mut db).unwrap();
    assert_eq!(set(false, 2), None, "it was not archived");
    assert_eq!(set(true, 3).unwrap().archived_at_ms, Some(3));
    assert_eq!(set(true, 4), None, "it was archived already");
    assert_eq!(set(false, 5).unwrap().archived_at_ms, None);
}

#[test]
fn a_deleted_thread_takes_its_history_along() {
    use super::super::schema::{items, turns};
    let (thread, other) = (named("n", 1), named("other", 2));
    let mut db = database(&[&thread, &other]);
    record_turn(&mut db, thread.id, "t1", "hi", "yes");
    record_turn(&mut db, other.id, "t1", "hi", "yes");
    assert_eq!(DeleteThread { id: thread.id }.run(&mut db), Ok(true));
    assert_eq!(DeleteThread { id: thread.id }.run(&mut db), Ok(false));
    assert_eq!(turns::table.count().get_result(&mut db), Ok(1));
    assert_eq!(items::table.count().get_result(&mut db), Ok(4));
}

#[test]
fn a_clock_that_is_set_back_makes_no_thread_older() {
    let thread = named("a", 5_000);
    let mut db = database(&[&thread]);
    let id = thread.id;
    SetThreadName { id, name: "b".into(), at_ms: 4_000 }.run(&mut db).unwrap();
    RecordTurn { at_ms: 3_000, ..state(id, turn("t", TurnStatus::Completed)) }.run(&mut db).unwrap();
    let now = LoadThread { id }.run(&mut db).unwrap().unwrap();
    assert_eq!((now.updated_at_ms, now.recency_at_ms), (5_000, 5_000));
    SetArchived { id, archived: true, at_ms: 6_000 }.run(&mut db).unwrap();
    let now = LoadThread { id }.run(&mut db).unwrap().unwrap();
    assert_eq!((now.updated_at_ms, now.recency_at_ms), (6_000, 5_000));
}
