-- A request is seen by its two parties alone. A reader's transaction names its lab; an unset or empty setting gives no
-- rows. As everywhere, services that write name themselves, and this catches a read path that forgets its filter.
CREATE FUNCTION reader_lab() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('commonwatch.lab', true), '')::integer $$;

ALTER TABLE onward_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY parties ON onward_request FOR SELECT USING (
    asker_id = (SELECT reader_lab()) OR producer_id = (SELECT reader_lab()));
CREATE POLICY writers ON onward_request USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
