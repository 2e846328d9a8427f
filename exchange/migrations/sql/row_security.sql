-- The sharing rule a second time (docs/sharing.md): a reader's transaction names the audiences it belongs to, and
-- rows of other audiences do not exist for it. An unset or empty setting gives no rows. Services that write name
-- themselves as writers for their transaction. This catches a read path that forgets its filter; it is no guard
-- against arbitrary SQL, which could name any audience.

CREATE FUNCTION reader_audiences() RETURNS integer[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('commonwatch.audiences', true), ''), '{}')::integer[] $$;

CREATE FUNCTION is_writer() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(current_setting('commonwatch.writer', true), '') = 'on' $$;

ALTER TABLE entry       ENABLE ROW LEVEL SECURITY;
ALTER TABLE version     ENABLE ROW LEVEL SECURITY;
ALTER TABLE object      ENABLE ROW LEVEL SECURITY;
ALTER TABLE tombstone   ENABLE ROW LEVEL SECURITY;
ALTER TABLE version_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE reference   ENABLE ROW LEVEL SECURITY;
ALTER TABLE held        ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaf        ENABLE ROW LEVEL SECURITY;

-- Sub-selects, so that a setting is read once per query and not once per row.
CREATE POLICY readers ON entry FOR SELECT USING (
    audience_id = ANY ((SELECT reader_audiences())::integer[])
    AND newest_audience_id = ANY ((SELECT reader_audiences())::integer[]));
CREATE POLICY readers ON version FOR SELECT USING (audience_id = ANY ((SELECT reader_audiences())::integer[]));
CREATE POLICY readers ON object FOR SELECT USING (newest_audience_id = ANY ((SELECT reader_audiences())::integer[]));
CREATE POLICY readers ON tombstone FOR SELECT USING (audience_id = ANY ((SELECT reader_audiences())::integer[]));

CREATE POLICY writers ON entry       USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON version     USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON object      USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON tombstone   USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON version_key USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON reference   USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON held        USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON leaf        USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
