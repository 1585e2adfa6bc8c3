-- What the model has seen of a thread, and what it cost.

ALTER TABLE turns ADD COLUMN token_usage TEXT; -- JSON: ThreadTokenUsage; the state after this turn

-- Finds the turns of a killed process at the next start without reading all the others.
CREATE INDEX turns_in_progress ON turns (thread_id, id) WHERE status = '"inProgress"';

-- Entries are only ever added. A compaction begins a new epoch, and the latest epoch is the history that the model sees;
-- the older ones come back when the turns since then are reverted.
CREATE TABLE model_history (
    thread_id TEXT NOT NULL REFERENCES threads (id) ON DELETE CASCADE,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    turn_ordinal INTEGER, -- the turn that added it; NULL before the first turn
    entry TEXT NOT NULL, -- JSON: one entry of the input of a model request
    PRIMARY KEY (thread_id, epoch, position),
    FOREIGN KEY (thread_id, turn_ordinal) REFERENCES turns (thread_id, ordinal) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX model_history_by_turn ON model_history (thread_id, turn_ordinal);
