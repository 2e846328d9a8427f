-- What is not to be blocked stands in every answer, so every reader sees these rows; only services that write change them.
ALTER TABLE allowed_network ENABLE ROW LEVEL SECURITY;
CREATE POLICY readers ON allowed_network FOR SELECT USING (true);
CREATE POLICY writers ON allowed_network USING ((SELECT is_writer())) WITH CHECK ((SELECT is_writer()));
