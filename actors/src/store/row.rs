//! Rows of the tables, and their conversion from and to records.

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record::{ThreadRecord, TurnRecord};
use super::schema::{items, threads, turns};
use crate::protocol::thread::{GitInfo, ThreadId};
use crate::protocol::turn::{ThreadItem, ThreadItemEntry, Turn, TurnItemsView};
use crate::protocol::{from_stored, to_stored};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = threads, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct ThreadRow {
    id: String,
    session_id: String,
    forked_from_id: Option<String>,
    name: Option<String>,
    preview: String,
    has_turns: bool,
    created_at_ms: i64,
    updated_at_ms: i64,
    recency_at_ms: i64,
    archived_at_ms: Option<i64>,
    cwd: String,
    cli_version: String,
    originator: Option<String>,
    source: String,
    thread_source: Option<String>,
    history_mode: String,
    git_sha: Option<String>,
    git_branch: Option<String>,
    git_origin_url: Option<String>,
    daybreak_enabled: Option<bool>,
    model_provider: String,
    settings: String,
}

impl ThreadRow {
    pub(super) fn of(record: &ThreadRecord) -> QueryResult<Self> {
        let ThreadRecord { git, .. } = record;
        Ok(Self {
            id: record.id.to_string(),
            session_id: record.session_id.to_string(),
            forked_from_id: record.forked_from_id.map(|id| id.to_string()),
            name: record.name.clone(),
            preview: record.preview.clone(),
            has_turns: record.has_turns,
            created_at_ms: record.created_at_ms,
            updated_at_ms: record.updated_at_ms,
            recency_at_ms: record.recency_at_ms,
            archived_at_ms: record.archived_at_ms,
            cwd: record.cwd.clone(),
            cli_version: record.cli_version.clone(),
            originator: record.originator.clone(),
            source: written(&record.source)?,
            thread_source: record.thread_source.clone(),
            history_mode: written(&record.history_mode)?,
            git_sha: git.sha.clone(),
            git_branch: git.branch.clone(),
            git_origin_url: git.origin_url.clone(),
            daybreak_enabled: record.daybreak_enabled,
            model_provider: record.model_provider.clone(),
            settings: written(&record.settings)?,
        })
    }

    pub(super) fn record(self) -> QueryResult<ThreadRecord> {
        Ok(ThreadRecord {
            id: thread_id(&self.id)?,
            session_id: thread_id(&self.session_id)?,
            forked_from_id: self.forked_from_id.as_deref().map(thread_id).transpose()?,
            name: self.name,
            preview: self.preview,
            has_turns: self.has_turns,
            created_at_ms: self.created_at_ms,
            updated_at_ms: self.updated_at_ms,
            recency_at_ms: self.recency_at_ms,
            archived_at_ms: self.archived_at_ms,
            cwd: self.cwd,
            cli_version: self.cli_version,
            originator: self.originator,
            source: read(&self.source)?,
            thread_source: self.thread_source,
            history_mode: read(&self.history_mode)?,
            git: GitInfo { sha: self.git_sha, branch: self.git_branch, origin_url: self.git_origin_url },
            daybreak_enabled: self.daybreak_enabled,
            model_provider: self.model_provider,
            settings: read(&self.settings)?,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = turns, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct TurnRow {
    pub(super) thread_id: String,
    pub(super) ordinal: i64,
    pub(super) id: String,
    root_turn_id: Option<String>,
    pub(super) status: String,
    pub(super) error: Option<String>,
    pub(super) started_at_ms: Option<i64>,
    pub(super) completed_at_ms: Option<i64>,
    pub(super) token_usage: Option<String>,
}

impl TurnRow {
    pub(super) fn of(thread_id: ThreadId, ordinal: i64, turn: TurnRecord) -> QueryResult<Self> {
        Ok(Self {
            thread_id: thread_id.to_string(),
            ordinal,
            id: turn.id,
            root_turn_id: turn.root_turn_id,
            status: written(&turn.status)?,
            error: turn.error.as_ref().map(written).transpose()?,
            started_at_ms: turn.started_at_ms,
            completed_at_ms: turn.completed_at_ms,
            token_usage: turn.token_usage.as_ref().map(written).transpose()?,
        })
    }

    /// The turn for the wire, where times are seconds.
    pub(super) fn turn(self, items: Vec<ThreadItem>, items_view: TurnItemsView) -> QueryResult<Turn> {
        let duration_ms = self.started_at_ms.zip(self.completed_at_ms).map(|(start, end)| end - start);
        Ok(Turn {
            id: self.id,
            root_turn_id: self.root_turn_id,
            items,
            items_view,
            status: read(&self.status)?,
            error: self.error.as_deref().map(read).transpose()?,
            started_at: self.started_at_ms.map(seconds),
            completed_at: self.completed_at_ms.map(seconds),
            duration_ms,
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = items, check_for_backend(diesel::sqlite::Sqlite))]
pub(super) struct ItemRow {
    pub(super) thread_id: String,
    pub(super) ordinal: i64,
    pub(super) turn_id: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) text: String,
    pub(super) started_at_ms: Option<i64>,
    pub(super) completed_at_ms: Option<i64>,
    pub(super) item: String,
}

impl ItemRow {
    pub(super) fn of(thread_id: ThreadId, ordinal: i64, turn_id: String, item: &ThreadItem) -> QueryResult<Self> {
        let summary = item.summary().map_err(|e| DieselError::SerializationError(Box::new(e)))?;
        Ok(Self {
            thread_id: thread_id.to_string(),
            ordinal,
            turn_id,
            id: summary.id,
            kind: summary.kind,
            text: summary.text,
            started_at_ms: summary.started_at_ms,
            completed_at_ms: summary.completed_at_ms,
            item: item.json().to_owned(),
        })
    }

    pub(super) fn item(&self) -> QueryResult<ThreadItem> {
        read(&self.item)
    }

    pub(super) fn entry(self) -> QueryResult<ThreadItemEntry> {
        Ok(ThreadItemEntry {
            item: self.item()?,
            turn_id: self.turn_id,
            started_at_ms: self.started_at_ms,
            completed_at_ms: self.completed_at_ms,
            output_deferred: false,
        })
    }
}

/// The text that is stored for `value`.
pub(super) fn written(value: &impl Serialize) -> QueryResult<String> {
    to_stored(value).map_err(|e| DieselError::SerializationError(Box::new(e)))
}

/// Decodes a stored value.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> QueryResult<T> {
    from_stored(text).map_err(|e| DieselError::DeserializationError(Box::new(e)))
}

pub(super) fn thread_id(text: &str) -> QueryResult<ThreadId> {
    ThreadId::parse(text).map_err(|e| DieselError::DeserializationError(Box::new(e)))
}

fn seconds(ms: i64) -> i64 {
    ms.div_euclid(1000)
}
