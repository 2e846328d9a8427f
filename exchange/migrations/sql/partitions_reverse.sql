DROP FUNCTION seq_at(timestamptz);
DROP FUNCTION ensure_partitions();
DROP TABLE audit, delivery, entry, version;
DELETE FROM sequencer;
