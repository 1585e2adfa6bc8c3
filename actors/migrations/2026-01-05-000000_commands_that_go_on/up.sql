-- A command may go on behind the end of its turn. After a kill of the server those that did are found by this index, which
-- holds only items that are not complete.
CREATE INDEX commands_that_go_on ON items (thread_id) WHERE completed_at_ms IS NULL AND kind = 'commandExecution';
