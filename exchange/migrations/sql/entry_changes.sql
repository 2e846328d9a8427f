-- What changed in the sequence, by blocks of 1,024 numbers (exchange/services/changes.py). Rows are only added: a counter
-- for each block would be a row that writers wait for, before they take the sequencer and after, and so a deadlock.
CREATE TABLE entry_change (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    block  bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX entry_change_block ON entry_change (block) INCLUDE (id);
CREATE INDEX entry_change_at ON entry_change (at);

-- Runs as the owner: the plain role adds no rows itself.
CREATE FUNCTION note_entry_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.entry_change (block) SELECT DISTINCT seq >> 10 FROM gone;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_entry_change() FROM PUBLIC;

CREATE TRIGGER entry_updated AFTER UPDATE ON entry REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_entry_change();
CREATE TRIGGER entry_deleted AFTER DELETE ON entry REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_entry_change();
