-- Policies make PostgreSQL test them before operators that are not leakproof, and those of words and arrays are not: an
-- index over them would never be used. So the table is for writers, and readers see it through a view of its owner, which
-- repeats the rule of the policy on `version` but lets the planner choose. An unset or empty setting gives no rows.
ALTER TABLE facet ENABLE ROW LEVEL SECURITY;
CREATE POLICY writers ON facet USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));

CREATE VIEW facet_in_sight AS
SELECT version_id, object_id, places, tags, words, modified, valid_from, valid_until FROM facet
WHERE audience_id = ANY ((SELECT reader_audiences())::integer[]);

-- A collection and an audience in one number. A reader's places are those of the collections that it reads with the
-- audiences that it belongs to, so an index over places leaves out what it may not see for the one reason or the other.
CREATE FUNCTION facet_place(collection integer, audience integer) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT collection::bigint << 32 | audience $$;
