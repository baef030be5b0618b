-- How much a task matters, as iCalendar has it: 1 (most) to 9, in three bands; 10 means nobody has said. No row is rewritten,
-- and a service of the release before goes on: the tasks it creates have no priority, and it keeps that of others.
ALTER TABLE tasks
    ADD COLUMN priority smallint DEFAULT 10 NOT NULL,
    ADD CONSTRAINT ck_tasks_priority_known CHECK (priority BETWEEN 1 AND 10) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_priority_known;

CREATE INDEX ix_tasks_user_id_in_trash_priority_id ON tasks (user_id, in_trash, priority, id);
