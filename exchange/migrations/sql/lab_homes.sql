-- Identities name homes for every member to read, so every reader sees these rows; only services that write change them.
ALTER TABLE lab_home ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON lab_home FOR SELECT USING (true);
CREATE POLICY writers ON lab_home USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));

-- What may cross to a peer follows from who lives there, and from the root keys by which identities name it: what is
-- remembered of rights is read again when one of these changes.
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON lab_home
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pin
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
CREATE TRIGGER access_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION note_access_change();
