ALTER TABLE tasks
    DROP CONSTRAINT ck_tasks_parent_is_another,
    DROP COLUMN has_subtasks,
    DROP COLUMN parent_id;
