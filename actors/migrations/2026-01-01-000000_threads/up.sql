-- Times are Unix milliseconds. Columns that hold JSON say so; their types stand in protocol/.

CREATE TABLE threads (
    id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL,
    forked_from_id TEXT,
    name TEXT,
    preview TEXT NOT NULL,
    has_turns INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    recency_at_ms INTEGER NOT NULL,
    archived_at_ms INTEGER,
    cwd TEXT NOT NULL,
    cli_version TEXT NOT NULL,
    originator TEXT,
    source TEXT NOT NULL, -- JSON: SessionSource
    thread_source TEXT,
    history_mode TEXT NOT NULL, -- JSON: ThreadHistoryMode
    git_sha TEXT,
    git_branch TEXT,
    git_origin_url TEXT,
    daybreak_enabled INTEGER,
    model_provider TEXT NOT NULL,
    settings TEXT NOT NULL -- JSON: ThreadSettings
) STRICT;

CREATE INDEX threads_by_creation ON threads (created_at_ms, id);
CREATE INDEX threads_by_change ON threads (updated_at_ms, id);
CREATE INDEX threads_by_use ON threads (recency_at_ms, id);

CREATE TABLE turns (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    id TEXT NOT NULL,
    root_turn_id TEXT,
    status TEXT NOT NULL, -- JSON: TurnStatus
    error TEXT, -- JSON: TurnError
    started_at_ms INTEGER,
    completed_at_ms INTEGER,
    PRIMARY KEY (thread_id, ordinal),
    UNIQUE (thread_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE items (
    thread_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    turn_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL, -- what was said, for searches
    started_at_ms INTEGER,
    completed_at_ms INTEGER,
    item TEXT NOT NULL, -- JSON: ThreadItem
    PRIMARY KEY (thread_id, ordinal),
    UNIQUE (thread_id, turn_id, id),
    FOREIGN KEY (thread_id, turn_id) REFERENCES turns (thread_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX items_by_turn ON items (thread_id, turn_id, ordinal);
