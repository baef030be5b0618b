-- Where tasks stand in their list, and lists among each other: see backend/utils/positions.py. What is there stands in the
-- order of its creation. This rewrites both tables, and blocks requests while it runs. No revision changes. A service of
-- the release before names no position: what it creates comes last.
ALTER TABLE tasks ADD COLUMN position text COLLATE "C"
    DEFAULT 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint)::text, 16, '0') || '0000001' NOT NULL;
ALTER TABLE lists ADD COLUMN position text COLLATE "C"
    DEFAULT 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint)::text, 16, '0') || '0000001' NOT NULL;

ALTER TABLE tasks
    ALTER COLUMN position TYPE text COLLATE "C" USING 'p'
        || lpad(((extract(epoch FROM created_at) * 1000000)::bigint)::text, 16, '0')
        || lpad((revision % 1000000)::text, 6, '0') || '1',
    ADD CONSTRAINT ck_tasks_position_length CHECK (char_length(position) BETWEEN 1 AND 200);
ALTER TABLE lists
    ALTER COLUMN position TYPE text COLLATE "C" USING 'p'
        || lpad(((extract(epoch FROM created_at) * 1000000)::bigint)::text, 16, '0')
        || lpad((revision % 1000000)::text, 6, '0') || '1',
    ADD CONSTRAINT ck_lists_position_length CHECK (char_length(position) BETWEEN 1 AND 200);

CREATE INDEX ix_tasks_user_id_in_trash_list_id_position_id ON tasks (user_id, in_trash, list_id, position, id);
