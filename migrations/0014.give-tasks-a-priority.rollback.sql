DROP INDEX ix_tasks_user_id_in_trash_priority_id;
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_priority_known, DROP COLUMN priority;
