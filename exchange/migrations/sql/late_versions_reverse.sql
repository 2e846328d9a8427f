DROP INDEX entry_late;
ALTER TABLE entry DROP COLUMN is_late;
