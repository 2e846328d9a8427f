-- An older version that arrives after a newer one is late. "The latest version of those added after T" may be a late
-- one, and finding it must not walk over every version that has been superseded: so late entries, which are few, have an
-- index of their own.
ALTER TABLE entry ADD COLUMN is_late boolean NOT NULL DEFAULT false;
UPDATE entry e SET is_late = true
FROM object o JOIN entry n ON n.object_id = o.id AND n.version_id = o.newest_version_id
WHERE o.id = e.object_id AND NOT e.is_newest AND NOT e.is_shared AND n.seq < e.seq;

CREATE INDEX entry_late ON entry (collection_id, seq) WHERE is_late;
