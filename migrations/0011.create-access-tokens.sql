-- Personal access tokens: for scripts, which cannot sign in every few minutes. Of the token itself only a hash is stored.
CREATE TABLE access_tokens (
    user_id text NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    token_hash bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    last_used_at timestamp with time zone,
    CONSTRAINT pk_access_tokens PRIMARY KEY (user_id, id),
    CONSTRAINT fk_access_tokens_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_access_tokens_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT ck_access_tokens_scopes_known CHECK (
        cardinality(scopes) BETWEEN 1 AND 2 AND scopes <@ ARRAY['tasks:read', 'tasks:write']
    ),
    CONSTRAINT ck_access_tokens_token_hash_length CHECK (octet_length(token_hash) = 32),
    CONSTRAINT ck_access_tokens_expires_later CHECK (expires_at > created_at)
);

ALTER TABLE access_tokens ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON access_tokens TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON access_tokens TO task_api;

-- For the purge, like those of the other tables.
CREATE INDEX ix_access_tokens_expires_at ON access_tokens (expires_at);

CREATE OR REPLACE FUNCTION users_with_expired_rows(passed_over text[], most bigint) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    (SELECT user_id FROM public.tasks
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
