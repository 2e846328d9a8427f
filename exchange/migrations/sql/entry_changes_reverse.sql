DROP TRIGGER entry_updated ON entry;
DROP TRIGGER entry_deleted ON entry;
DROP FUNCTION note_entry_change();
DROP TABLE entry_change;
