-- The counts of lists are read from this index alone. Building it holds up changes, up to ten seconds for a million tasks.
DROP INDEX ix_tasks_user_id_in_trash_list_id_position_id;
CREATE INDEX ix_tasks_user_id_in_trash_list_id_position_id ON tasks (user_id, in_trash, list_id, position, id)
    INCLUDE (completed, open_status);
