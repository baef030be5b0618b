-- What a task is while it is not completed. A completed one is done, whatever this says. So no row needs to be rewritten,
-- and a service of the release before, which knows `completed` only, stays right.
ALTER TABLE tasks
    ADD COLUMN open_status text DEFAULT 'todo' NOT NULL,
    ADD CONSTRAINT ck_tasks_open_status_known CHECK (open_status IN ('todo', 'in_progress', 'cancelled')) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_open_status_known;

-- For the columns of a board. Most tasks are not in it, so it costs them nothing.
CREATE INDEX ix_tasks_user_id_in_trash_open_status_created_at_id
    ON tasks (user_id, in_trash, open_status, created_at, id) WHERE open_status <> 'todo';
