-- The tasks that carry labels, for the counts of labels, and for changes of a label: both read all tasks of the user before.
-- Labels themselves are too long for an index. Building it holds up changes, up to two seconds for a million tasks.
CREATE INDEX ix_tasks_user_id_in_trash_labelled ON tasks (user_id, in_trash) WHERE labels <> '{}';
