DROP INDEX entry_newest, entry_newest_type, entry_newest_all;
CREATE INDEX entry_newest      ON entry (collection_id, seq)       WHERE is_newest;
CREATE INDEX entry_newest_type ON entry (collection_id, type, seq) WHERE is_newest;
CREATE INDEX entry_newest_all  ON entry (seq)                      WHERE is_newest;
ALTER TABLE entry DROP COLUMN is_late;
