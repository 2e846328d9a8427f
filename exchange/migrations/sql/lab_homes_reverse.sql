DROP TRIGGER access_changed ON signing_key;
DROP TRIGGER access_changed ON pin;
DROP TRIGGER access_changed ON lab_home;
DROP POLICY writers ON lab_home;
DROP POLICY readers ON lab_home;
ALTER TABLE lab_home DISABLE ROW LEVEL SECURITY;
