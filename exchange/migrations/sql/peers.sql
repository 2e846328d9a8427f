-- What a peer may see follows from its row: what is remembered of rights is read again when one changes.
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON peer
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
