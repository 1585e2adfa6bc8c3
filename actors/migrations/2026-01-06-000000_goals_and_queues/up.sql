-- What the agent works towards in a thread, over several turns.
CREATE TABLE goals (
    thread_id TEXT NOT NULL PRIMARY KEY REFERENCES threads (id) ON DELETE CASCADE,
    objective TEXT NOT NULL,
    status TEXT NOT NULL, -- JSON: ThreadGoalStatus
    token_budget INTEGER,
    tokens_used INTEGER NOT NULL,
    used_ms INTEGER NOT NULL, -- the time that turns took
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages that wait until a thread is idle, in the order of their ids, which are UUIDs of version 7.
CREATE TABLE queued_messages (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL, -- the client's own id
    input TEXT NOT NULL, -- JSON: list of UserInput
    metadata TEXT, -- JSON: the client's metadata, given back as it came
    PRIMARY KEY (thread_id, id)
) STRICT, WITHOUT ROWID;
