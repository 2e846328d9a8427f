DROP FUNCTION facet_place(integer, integer);
DROP VIEW facet_in_sight;
DROP POLICY writers ON facet;
ALTER TABLE facet DISABLE ROW LEVEL SECURITY;
