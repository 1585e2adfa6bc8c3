-- The wall clock can be set back. A change then counts as made at the time of the change before it, so that no thread is
-- older after a change than before.
CREATE TRIGGER threads_times_never_go_back AFTER UPDATE OF updated_at_ms, recency_at_ms ON threads
WHEN NEW.updated_at_ms < OLD.updated_at_ms OR NEW.recency_at_ms < OLD.recency_at_ms
BEGIN
    UPDATE threads
    SET updated_at_ms = max(OLD.updated_at_ms, NEW.updated_at_ms), recency_at_ms = max(OLD.recency_at_ms, NEW.recency_at_ms)
    WHERE id = NEW.id;
END;
