DROP POLICY writers ON allowed_network;
DROP POLICY readers ON allowed_network;
ALTER TABLE allowed_network DISABLE ROW LEVEL SECURITY;
