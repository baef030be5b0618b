ALTER TABLE tasks DROP CONSTRAINT ck_tasks_uid_length, DROP COLUMN uid;
