-- Tasks. The user leads the primary key, the foreign key and every index: one user's rows lie together, another user's
-- id means nothing, and the table can be sharded by user.
CREATE TABLE tasks (
    user_id text NOT NULL,
    id uuid NOT NULL,
    title text NOT NULL,
    description text,
    completed boolean DEFAULT false NOT NULL,
    completed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    revision bigint NOT NULL,
    CONSTRAINT pk_tasks PRIMARY KEY (user_id, id),
    CONSTRAINT fk_tasks_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_tasks_title_length CHECK (char_length(title) BETWEEN 1 AND 500),
    CONSTRAINT ck_tasks_description_length CHECK (char_length(description) <= 10000),
    CONSTRAINT ck_tasks_completed_has_time CHECK (completed = (completed_at IS NOT NULL)),
    CONSTRAINT ck_tasks_revision_counts_up CHECK (revision > 0)
);

-- The list: one user's living tasks, newest first.
CREATE INDEX ix_tasks_user_id_created_at_id ON tasks (user_id, created_at DESC, id DESC) WHERE deleted_at IS NULL;

ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON tasks TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO task_api;
