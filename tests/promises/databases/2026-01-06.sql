PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE __diesel_schema_migrations (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO __diesel_schema_migrations VALUES('20260101000000','2026-11-30 02:59:56');
INSERT INTO __diesel_schema_migrations VALUES('20260102000000','2026-11-30 02:59:56');
INSERT INTO __diesel_schema_migrations VALUES('20260103000000','2026-11-30 02:59:56');
INSERT INTO __diesel_schema_migrations VALUES('20260104000000','2026-11-30 02:59:56');
INSERT INTO __diesel_schema_migrations VALUES('20260105000000','2026-11-30 02:59:56');
INSERT INTO __diesel_schema_migrations VALUES('20260106000000','2026-11-30 02:59:56');
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
INSERT INTO threads VALUES('01a22a65-1051-72e5-be97-c334454afe51','01a22a65-1051-72e5-be97-c334454afe51',NULL,'Kept across versions','What is kept?',1,1796007596113,1796007596221,1796007596217,NULL,'/tmp','0.171.0','fixture','"cli"',NULL,'"paginated"',NULL,NULL,NULL,NULL,'echo','{"model":"echo","reasoningEffort":null,"reasoningSummary":null,"mode":"default","modeInstructions":null,"serviceTier":null,"approvalPolicy":"on-request","approvalsReviewer":"user","sandboxPolicy":{"type":"readOnly","networkAccess":false},"activePermissionProfile":{"id":":read-only","extends":null},"runtimeWorkspaceRoots":["/tmp"],"disabledPluginIds":[],"baseInstructions":null,"developerInstructions":null}');
INSERT INTO threads VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5','01a22a65-10c5-7653-957e-c97fbc9593b5',NULL,NULL,'put away',1,1796007596229,1796007596334,1796007596325,1796007596334,'/tmp','0.171.0','fixture','"cli"',NULL,'"paginated"',NULL,NULL,NULL,NULL,'echo','{"model":"echo","reasoningEffort":null,"reasoningSummary":null,"mode":"default","modeInstructions":null,"serviceTier":null,"approvalPolicy":"on-request","approvalsReviewer":"user","sandboxPolicy":{"type":"readOnly","networkAccess":false},"activePermissionProfile":{"id":":read-only","extends":null},"runtimeWorkspaceRoots":["/tmp"],"disabledPluginIds":[],"baseInstructions":null,"developerInstructions":null}');
CREATE TABLE turns (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    id TEXT NOT NULL,
    root_turn_id TEXT,
    status TEXT NOT NULL, -- JSON: TurnStatus
    error TEXT, -- JSON: TurnError
    started_at_ms INTEGER,
    completed_at_ms INTEGER, token_usage TEXT,
    PRIMARY KEY (thread_id, ordinal),
    UNIQUE (thread_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO turns VALUES('01a22a65-1051-72e5-be97-c334454afe51',1,'01a22a65-105b-75ea-82a3-dd53ffea46d6','01a22a65-105b-75ea-82a3-dd53ffea46d6','"completed"',NULL,1796007596123,1796007596217,'{"total":{"totalTokens":631,"inputTokens":625,"cachedInputTokens":0,"cacheWriteInputTokens":0,"outputTokens":6,"reasoningOutputTokens":0},"last":{"totalTokens":631,"inputTokens":625,"cachedInputTokens":0,"cacheWriteInputTokens":0,"outputTokens":6,"reasoningOutputTokens":0},"modelContextWindow":null}');
INSERT INTO turns VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',1,'01a22a65-10ca-7739-bbca-79ed10be07fd','01a22a65-10ca-7739-bbca-79ed10be07fd','"completed"',NULL,1796007596234,1796007596325,'{"total":{"totalTokens":629,"inputTokens":624,"cachedInputTokens":0,"cacheWriteInputTokens":0,"outputTokens":5,"reasoningOutputTokens":0},"last":{"totalTokens":629,"inputTokens":624,"cachedInputTokens":0,"cacheWriteInputTokens":0,"outputTokens":5,"reasoningOutputTokens":0},"modelContextWindow":null}');
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
INSERT INTO items VALUES('01a22a65-1051-72e5-be97-c334454afe51',1,'01a22a65-105b-75ea-82a3-dd53ffea46d6','01a22a65-105c-7082-896e-80bdc1b062ee','userMessage','What is kept?',1796007596124,1796007596124,'{"type":"userMessage","clientId":null,"content":[{"type":"text","text":"What is kept?","text_elements":[]}],"id":"01a22a65-105c-7082-896e-80bdc1b062ee","startedAtMs":1796007596124,"completedAtMs":1796007596124}');
INSERT INTO items VALUES('01a22a65-1051-72e5-be97-c334454afe51',2,'01a22a65-105b-75ea-82a3-dd53ffea46d6','01a22a65-1075-70e4-bd8b-0323c5cae52b','agentMessage','You said: What is kept?',1796007596149,1796007596214,'{"type":"agentMessage","text":"You said: What is kept?","phase":null,"moderation":null,"memoryCitation":null,"delivery":null,"questions":null,"id":"01a22a65-1075-70e4-bd8b-0323c5cae52b","startedAtMs":1796007596149,"completedAtMs":1796007596214}');
INSERT INTO items VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',1,'01a22a65-10ca-7739-bbca-79ed10be07fd','01a22a65-10cb-76f2-bcb4-acad8afa567a','userMessage','put away',1796007596235,1796007596235,'{"type":"userMessage","clientId":null,"content":[{"type":"text","text":"put away","text_elements":[]}],"id":"01a22a65-10cb-76f2-bcb4-acad8afa567a","startedAtMs":1796007596235,"completedAtMs":1796007596235}');
INSERT INTO items VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',2,'01a22a65-10ca-7739-bbca-79ed10be07fd','01a22a65-10e5-76b0-ba11-57f7c3d50fca','agentMessage','You said: put away',1796007596261,1796007596314,'{"type":"agentMessage","text":"You said: put away","phase":null,"moderation":null,"memoryCitation":null,"delivery":null,"questions":null,"id":"01a22a65-10e5-76b0-ba11-57f7c3d50fca","startedAtMs":1796007596261,"completedAtMs":1796007596314}');
CREATE TABLE remote_control_enrollments (
    websocket_url TEXT NOT NULL,
    account_id TEXT NOT NULL,
    app_server_client_name TEXT NOT NULL, -- empty except on stdio
    server_id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    server_name TEXT NOT NULL,
    updated_at INTEGER NOT NULL, -- Unix seconds
    remote_control_enabled INTEGER, -- NULL: nobody has decided
    PRIMARY KEY (websocket_url, account_id, app_server_client_name)
) STRICT;
CREATE TABLE model_history (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    turn_ordinal INTEGER, -- the turn that added it; NULL before the first turn
    entry TEXT NOT NULL, -- JSON: one entry of the input of a model request
    PRIMARY KEY (thread_id, epoch, position),
    FOREIGN KEY (thread_id, turn_ordinal) REFERENCES turns (thread_id, ordinal) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
INSERT INTO model_history VALUES('01a22a65-1051-72e5-be97-c334454afe51',1,1,1,'{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment>\nworking directory: /tmp\nsandbox: commands may read, and write nothing\nnetwork: no\ndate: 2026-11-30 (UTC)\n</environment>"}]}');
INSERT INTO model_history VALUES('01a22a65-1051-72e5-be97-c334454afe51',1,2,1,'{"type":"message","role":"user","content":[{"type":"input_text","text":"What is kept?"}]}');
INSERT INTO model_history VALUES('01a22a65-1051-72e5-be97-c334454afe51',1,3,1,'{"type":"message","role":"assistant","content":[{"type":"output_text","text":"You said: What is kept?"}]}');
INSERT INTO model_history VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',1,1,1,'{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment>\nworking directory: /tmp\nsandbox: commands may read, and write nothing\nnetwork: no\ndate: 2026-11-30 (UTC)\n</environment>"}]}');
INSERT INTO model_history VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',1,2,1,'{"type":"message","role":"user","content":[{"type":"input_text","text":"put away"}]}');
INSERT INTO model_history VALUES('01a22a65-10c5-7653-957e-c97fbc9593b5',1,3,1,'{"type":"message","role":"assistant","content":[{"type":"output_text","text":"You said: put away"}]}');
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
INSERT INTO goals VALUES('01a22a65-1051-72e5-be97-c334454afe51','Stay readable','"paused"',NULL,0,0,1796007596226,1796007596226);
CREATE TABLE queued_messages (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    client_id TEXT NOT NULL, -- the client's own id
    input TEXT NOT NULL, -- JSON: list of UserInput
    metadata TEXT, -- JSON: the client's metadata, given back as it came
    PRIMARY KEY (thread_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_by_creation ON threads (created_at_ms, id);
CREATE INDEX threads_by_change ON threads (updated_at_ms, id);
CREATE INDEX threads_by_use ON threads (recency_at_ms, id);
CREATE INDEX items_by_turn ON items (thread_id, turn_id, ordinal);
CREATE INDEX turns_in_progress ON turns (thread_id, id) WHERE status = '"inProgress"';
CREATE INDEX model_history_by_turn ON model_history (thread_id, turn_ordinal);
CREATE TRIGGER threads_times_never_go_back AFTER UPDATE OF updated_at_ms, recency_at_ms ON threads
WHEN NEW.updated_at_ms < OLD.updated_at_ms OR NEW.recency_at_ms < OLD.recency_at_ms
BEGIN
    UPDATE threads
    SET updated_at_ms = max(OLD.updated_at_ms, NEW.updated_at_ms), recency_at_ms = max(OLD.recency_at_ms, NEW.recency_at_ms)
    WHERE id = NEW.id;
END;
CREATE INDEX commands_that_go_on ON items (thread_id) WHERE completed_at_ms IS NULL AND kind = 'commandExecution';
COMMIT;
