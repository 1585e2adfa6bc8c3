mod actor;
mod batch;
mod devices;
mod enrollments;
mod history;
mod lists;
mod model_history;
mod opening;
mod recovering;
mod threads;

use diesel::prelude::*;

use super::cursor::{Cursor, PageRequest};
use super::messages::{HistoryChange, InsertThread, RecordTurn, ThreadFilter};
use super::record::{ThreadRecord, ThreadSettings, TurnRecord};
use super::{Question, level, open};
use crate::protocol::thread::{
    ApprovalsReviewer, AskForApproval, GitInfo, Page, SandboxPolicy, SessionSource, SortDirection, ThreadHistoryMode,
    ThreadId,
};
use crate::protocol::turn::{ThreadItem, TurnStatus};

/// A database with these threads.
fn database(threads: &[&ThreadRecord]) -> SqliteConnection {
    let mut db = open::in_memory(level::Tables::Threads).unwrap();
    for thread in threads {
        insert(&mut db, thread);
    }
    db
}

fn insert(db: &mut SqliteConnection, thread: &ThreadRecord) {
    InsertThread(Box::new(thread.clone())).run(db).unwrap();
}

/// A thread with a name, so that lists show it.
fn named(name: &str, created_at_ms: i64) -> ThreadRecord {
    let id = ThreadId::new();
    ThreadRecord {
        id,
        session_id: id,
        forked_from_id: None,
        name: Some(name.into()),
        preview: String::new(),
        has_turns: false,
        created_at_ms,
        updated_at_ms: created_at_ms,
        recency_at_ms: created_at_ms,
        archived_at_ms: None,
        cwd: "/work".into(),
        cli_version: "0.171.0".into(),
        originator: Some("probe".into()),
        source: SessionSource::VsCode,
        thread_source: None,
        history_mode: ThreadHistoryMode::Paginated,
        git: GitInfo::default(),
        daybreak_enabled: None,
        model_provider: "openai".into(),
        settings: ThreadSettings {
            model: Some("gpt-6".into()),
            reasoning_effort: None,
            reasoning_summary: None,
            mode: Default::default(),
            mode_instructions: None,
            service_tier: None,
            approval_policy: AskForApproval::OnRequest,
            approvals_reviewer: ApprovalsReviewer::User,
            sandbox_policy: SandboxPolicy::ReadOnly { network_access: false },
            active_permission_profile: None,
            runtime_workspace_roots: vec!["/work".into()],
            disabled_plugin_ids: vec![],
            base_instructions: None,
            developer_instructions: None,
            dynamic_tools: Vec::new(),
        },
    }
}

fn turn(id: &str, status: TurnStatus) -> TurnRecord {
    TurnRecord {
        id: id.into(),
        root_turn_id: Some(id.into()),
        status,
        error: None,
        started_at_ms: Some(1_500),
        completed_at_ms: Some(2_564),
        token_usage: None,
    }
}

fn item(json: &str) -> ThreadItem {
    serde_json::from_str(json).unwrap()
}

/// A turn in which the person says `asked`, a command runs, and the agent answers twice.
fn record_turn(db: &mut SqliteConnection, thread_id: ThreadId, id: &str, asked: &str, answered: &str) {
    let items = vec![
        item(&format!(r#"{{"type":"userMessage","id":"{id}-u","content":[{{"type":"text","text":"{asked}"}}]}}"#)),
        item(&format!(r#"{{"type":"agentMessage","id":"{id}-a1","text":"working on it"}}"#)),
        item(&format!(r#"{{"type":"commandExecution","id":"{id}-c","command":"ls","startedAtMs":5}}"#)),
        item(&format!(r#"{{"type":"agentMessage","id":"{id}-a2","text":"{answered}"}}"#)),
    ];
    assert!(RecordTurn { items, ..state(thread_id, turn(id, TurnStatus::Completed)) }.run(db).unwrap());
}

/// The state of a turn and nothing else.
fn state(thread_id: ThreadId, turn: TurnRecord) -> RecordTurn {
    RecordTurn {
        thread_id,
        turn,
        items: Vec::new(),
        model_history: HistoryChange::none(),
        dequeued: None,
        at_ms: 9_000,
    }
}

fn everything() -> ThreadFilter {
    ThreadFilter::default()
}

fn page_of(limit: u32, direction: SortDirection) -> PageRequest {
    PageRequest { cursor: None, limit: Some(limit), direction }
}

fn after<T>(page: &Page<T>, limit: u32, direction: SortDirection) -> PageRequest {
    let cursor = Cursor::of_threads(page.next_cursor.as_deref().unwrap()).unwrap();
    PageRequest { cursor: Some(cursor), limit: Some(limit), direction }
}
