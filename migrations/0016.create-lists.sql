-- Lists, and which one a task is in: none means the inbox. No row is rewritten. A service of the release before stores tasks
-- without a list, and keeps that of others.
CREATE TABLE lists (
    user_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    color text,
    archived_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    revision bigint NOT NULL,
    request_hash bytea,
    CONSTRAINT pk_lists PRIMARY KEY (user_id, id),
    CONSTRAINT fk_lists_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_lists_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT ck_lists_color_format CHECK (color ~ '^#[0-9a-f]{6}$'),
    CONSTRAINT ck_lists_revision_counts_up CHECK (revision > 0),
    CONSTRAINT ck_lists_request_hash_length CHECK (octet_length(request_hash) = 32)
);

ALTER TABLE lists ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON lists TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON lists TO task_api;

-- For the feed of changes, and for the purge.
CREATE INDEX ix_lists_user_id_revision ON lists (user_id, revision);
CREATE INDEX ix_lists_deleted_at ON lists (deleted_at) WHERE deleted_at IS NOT NULL;

-- The key is the backstop: the service lets no task into a list that is not there, and takes all out before it removes one.
ALTER TABLE tasks
    ADD COLUMN list_id uuid,
    ADD CONSTRAINT fk_tasks_user_id_list_id_lists FOREIGN KEY (user_id, list_id) REFERENCES lists (user_id, id) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT fk_tasks_user_id_list_id_lists;

CREATE INDEX ix_tasks_user_id_in_trash_list_id_created_at_id ON tasks (user_id, in_trash, list_id, created_at, id);

ALTER TABLE tombstones
    DROP CONSTRAINT ck_tombstones_kind_known,
    ADD CONSTRAINT ck_tombstones_kind_known CHECK (kind IN ('task', 'label', 'list')) NOT VALID;

ALTER TABLE tombstones VALIDATE CONSTRAINT ck_tombstones_kind_known;

CREATE OR REPLACE FUNCTION users_with_expired_rows(passed_over text[], most bigint) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    (SELECT user_id FROM public.tasks
     WHERE deleted_at < now() - interval '30 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
    UNION
    (SELECT user_id FROM public.lists
     WHERE deleted_at < now() - interval '30 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
    UNION
    (SELECT user_id FROM public.tombstones
     WHERE deleted_at < now() - interval '30 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
    UNION
    (SELECT user_id FROM public.idempotency_keys
     WHERE created_at < now() - interval '24 hours' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
    UNION
    (SELECT user_id FROM public.access_tokens
     WHERE expires_at < now() - interval '30 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
$$;
