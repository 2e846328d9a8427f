DROP POLICY writers ON onward_request;
DROP POLICY parties ON onward_request;
ALTER TABLE onward_request DISABLE ROW LEVEL SECURITY;
DROP FUNCTION reader_lab();
