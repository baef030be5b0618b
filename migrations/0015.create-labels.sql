-- Labels, and their names on tasks. A service of the release before stores tasks without labels, and keeps those of others.
CREATE TABLE labels (
    user_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    name_key text NOT NULL,
    color text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT pk_labels PRIMARY KEY (user_id, id),
    CONSTRAINT uq_labels_user_id_name_key UNIQUE (user_id, name_key),
    CONSTRAINT fk_labels_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_labels_name_length CHECK (char_length(name) BETWEEN 1 AND 60),
    CONSTRAINT ck_labels_color_format CHECK (color ~ '^#[0-9a-f]{6}$'),
    CONSTRAINT ck_labels_revision_counts_up CHECK (revision > 0)
);

ALTER TABLE labels ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON labels TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON labels TO task_api;

-- For the feed of changes.
CREATE INDEX ix_labels_user_id_revision ON labels (user_id, revision);

ALTER TABLE tasks
    ADD COLUMN labels text[] DEFAULT '{}' NOT NULL,
    ADD CONSTRAINT ck_tasks_labels_number CHECK (cardinality(labels) <= 50) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_labels_number;

-- Of what a tombstone is: the feed shows tasks only, unless it is asked for labels, too.
ALTER TABLE tombstones
    ADD COLUMN kind text DEFAULT 'task' NOT NULL,
    ADD CONSTRAINT ck_tombstones_kind_known CHECK (kind IN ('task', 'label')) NOT VALID;

ALTER TABLE tombstones VALIDATE CONSTRAINT ck_tombstones_kind_known;
