-- The indexes go with the columns that they lead with.
ALTER TABLE tasks
    DROP COLUMN in_trash,
    DROP COLUMN title_key,
    DROP COLUMN completed_key,
    DROP COLUMN words;
CREATE INDEX ix_tasks_user_id_created_at_id ON tasks (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;
