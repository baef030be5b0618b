-- The UID under which calendars of other programs know a task: an export gives it back. No row is rewritten, but all tasks are
-- read once. A service of the release before goes on: it stores tasks without one, and leaves that of others alone.
ALTER TABLE tasks
    ADD COLUMN uid text,
    ADD CONSTRAINT ck_tasks_uid_length CHECK (char_length(uid) BETWEEN 1 AND 1000) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_uid_length;
