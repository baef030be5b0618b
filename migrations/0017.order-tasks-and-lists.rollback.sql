ALTER TABLE lists DROP CONSTRAINT ck_lists_position_length, DROP COLUMN position;
ALTER TABLE tasks DROP CONSTRAINT ck_tasks_position_length, DROP COLUMN position;
