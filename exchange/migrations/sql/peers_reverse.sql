DROP TRIGGER access_changed ON peer;
