-- What was posted and is not verified yet is for writers alone, whatever a reader's query asks for.
ALTER TABLE staged_envelope ENABLE ROW LEVEL SECURITY;
ALTER TABLE staged_batch    ENABLE ROW LEVEL SECURITY;
CREATE POLICY writers ON staged_envelope USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
CREATE POLICY writers ON staged_batch    USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));

-- Bodies are here for minutes: compressing them would cost more than it saves.
ALTER TABLE staged_batch ALTER COLUMN bodies SET STORAGE EXTERNAL;
