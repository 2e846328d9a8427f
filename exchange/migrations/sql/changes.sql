-- What changed, so that what is kept in memory is never used when it is out of date (exchange/services/changes.py):
-- blocks of 1,024 numbers of the sequence, and block -1 for who may see what. Rows are only added: a counter would be a
-- row that writers wait for, some before they take the sequencer and some after, and so a deadlock.
CREATE TABLE change (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    block      bigint NOT NULL,
    noticed_at timestamptz
);
CREATE INDEX change_block ON change (block) INCLUDE (id);

-- They run as the owner: the plain role adds no rows itself.
CREATE FUNCTION note_entry_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.change (block) SELECT DISTINCT seq >> 10 FROM gone;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_entry_change() FROM PUBLIC;

CREATE FUNCTION note_access_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.change (block) VALUES (-1);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_access_change() FROM PUBLIC;

CREATE TRIGGER entry_updated AFTER UPDATE ON entry REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_entry_change();
CREATE TRIGGER entry_deleted AFTER DELETE ON entry REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION note_entry_change();

CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON token
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lab
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_root
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON collection
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON collection_grant
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON audience
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();

-- The view of everything, with all versions or the first: only newest ones had an index by number alone.
CREATE INDEX entry_all ON entry (seq);
