DELETE FROM tombstones WHERE kind <> 'task';
ALTER TABLE tombstones DROP CONSTRAINT ck_tombstones_kind_known, DROP COLUMN kind;
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_labels_number, DROP COLUMN labels;
DROP TABLE labels;
