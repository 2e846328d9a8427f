-- As with facets (docs/adr/0007): the tables are for writers, and readers see them through views of the owner, which
-- repeat the rule of the policies on `entry` and let the planner use the indexes. Nothing about readers is kept beside a
-- network: the entry of its version says who they are, so a row cannot outlive a change of its audience.
ALTER TABLE attribution_range ENABLE ROW LEVEL SECURITY;
ALTER TABLE attribution_name  ENABLE ROW LEVEL SECURITY;
CREATE POLICY writers ON attribution_range USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON attribution_name  USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));

-- For all that a reader may see: the planner chooses how.
CREATE VIEW range_in_sight AS
SELECT r.id, r.net, r.kind, r.asn, r.confidence, r.first_seen, r.last_seen, r.seen_at, r.valid_until,
       e.object_id, e.version_id, e.seq, e.collection_id, e.audience_id, e.newest_audience_id,
       o.producer_id, o.stix_id, o.state
FROM attribution_range r
JOIN entry e ON e.object_id = r.object_id AND e.version_id = r.version_id AND e.is_newest AND NOT e.is_shared
JOIN object o ON o.id = r.object_id AND o.state IN ('current', 'disputed')
WHERE e.audience_id = ANY ((SELECT reader_audiences())::integer[])
  AND e.newest_audience_id = ANY ((SELECT reader_audiences())::integer[]);

-- For single questions: OFFSET 0 makes the planner find the rows first, and then look at who may see them. It would
-- else, without statistics or with few objects, go through all that the reader may see, and take longer with it.
CREATE VIEW range_found AS
SELECT r.id, r.net, r.kind, r.asn, r.confidence, r.first_seen, r.last_seen, r.seen_at, r.valid_until, seen.*
FROM attribution_range r
CROSS JOIN LATERAL (
    SELECT e.object_id, e.version_id, e.seq, e.collection_id, e.audience_id, e.newest_audience_id,
           o.producer_id, o.stix_id, o.state
    FROM entry e JOIN object o ON o.id = e.object_id
    WHERE e.object_id = r.object_id AND e.version_id = r.version_id AND e.is_newest AND NOT e.is_shared
      AND o.state IN ('current', 'disputed')
      AND e.audience_id = ANY ((SELECT reader_audiences())::integer[])
      AND e.newest_audience_id = ANY ((SELECT reader_audiences())::integer[])
    OFFSET 0
) seen;

CREATE VIEW name_found AS
SELECT n.id, n.kind, n.value, n.confidence, n.seen_at, n.valid_until, seen.*
FROM attribution_name n
CROSS JOIN LATERAL (
    SELECT e.object_id, e.version_id, e.seq, e.collection_id, e.audience_id, e.newest_audience_id,
           o.producer_id, o.stix_id, o.state
    FROM entry e JOIN object o ON o.id = e.object_id
    WHERE e.object_id = n.object_id AND e.version_id = n.version_id AND e.is_newest AND NOT e.is_shared
      AND o.state IN ('current', 'disputed')
      AND e.audience_id = ANY ((SELECT reader_audiences())::integer[])
      AND e.newest_audience_id = ANY ((SELECT reader_audiences())::integer[])
    OFFSET 0
) seen;

-- What is kept in memory of these tables is held against block -2 (exchange/services/changes.py). A new state of an
-- object changes no entry, and takes it out of answers or brings it back.
CREATE FUNCTION note_attribution_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.change (block) VALUES (-2);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_attribution_change() FROM PUBLIC;

CREATE FUNCTION note_state_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF EXISTS (SELECT FROM was JOIN now_is USING (id) WHERE was.state <> now_is.state) THEN
        INSERT INTO public.change (block) VALUES (-2);
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_state_change() FROM PUBLIC;

CREATE TRIGGER attribution_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON attribution_range
    FOR EACH STATEMENT EXECUTE FUNCTION note_attribution_change();
CREATE TRIGGER attribution_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON attribution_name
    FOR EACH STATEMENT EXECUTE FUNCTION note_attribution_change();
CREATE TRIGGER state_changed AFTER UPDATE ON object REFERENCING OLD TABLE AS was NEW TABLE AS now_is
    FOR EACH STATEMENT EXECUTE FUNCTION note_state_change();
