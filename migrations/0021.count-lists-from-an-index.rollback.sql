DROP INDEX ix_tasks_user_id_in_trash_list_id_position_id;
CREATE INDEX ix_tasks_user_id_in_trash_list_id_position_id ON tasks (user_id, in_trash, list_id, position, id);
