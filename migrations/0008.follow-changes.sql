-- The change feed: one user's changes in the order of their numbers, tasks that are gone for good included.
CREATE INDEX ix_tasks_user_id_revision ON tasks (user_id, revision);

-- What is left of a task that was deleted for good: enough to tell those who have a copy. Nothing of what it said.
CREATE TABLE tombstones (
    user_id text NOT NULL,
    id uuid NOT NULL,
    revision bigint NOT NULL,
    deleted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_tombstones PRIMARY KEY (user_id, id),
    CONSTRAINT fk_tombstones_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_tombstones_revision_counts_up CHECK (revision > 0)
);

CREATE INDEX ix_tombstones_user_id_revision ON tombstones (user_id, revision);

ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON tombstones TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON tombstones TO task_api;

-- purged_revision: the greatest revision of anything that a purge has removed. Whoever has seen less may have missed it.
ALTER TABLE users
    ADD COLUMN purged_revision bigint DEFAULT 0 NOT NULL,
    ADD CONSTRAINT ck_users_purged_revision_was_reached CHECK (purged_revision BETWEEN 0 AND revision);
