-- Which task a task is a subtask of. There is no key: files may bring subtasks before their parent. No row is rewritten. A
-- service of the release before stores tasks without a parent, and keeps that of others.
--
-- has_subtasks: whether a change of the task must look for tasks below it. It may be true when there are none any more.
ALTER TABLE tasks
    ADD COLUMN parent_id uuid,
    ADD COLUMN has_subtasks boolean DEFAULT false NOT NULL,
    ADD CONSTRAINT ck_tasks_parent_is_another CHECK (parent_id <> id) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_parent_is_another;

CREATE INDEX ix_tasks_user_id_parent_id_id ON tasks (user_id, parent_id, id) WHERE parent_id IS NOT NULL;
