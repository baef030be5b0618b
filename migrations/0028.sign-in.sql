-- A sign-in of our own: accounts with an address and a password, and the sessions of those who are signed in.
-- A refresh token names its row here and is authenticated by a secret, so nothing that is stored is of use to a reader.
CREATE TABLE credentials (
    user_id text NOT NULL,
    email text NOT NULL,
    name text,
    password_hash text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    password_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_credentials PRIMARY KEY (user_id),
    CONSTRAINT fk_credentials_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_credentials_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
    CONSTRAINT ck_credentials_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT ck_credentials_password_hash_length CHECK (char_length(password_hash) BETWEEN 1 AND 1000)
);

-- Which user an address belongs to. A table of its own: uniqueness of addresses is the one thing that concerns all users, so
-- where rows are spread by user, this small table is not.
CREATE TABLE email_keys (
    user_id text NOT NULL,
    email_key text NOT NULL,
    CONSTRAINT pk_email_keys PRIMARY KEY (user_id),
    CONSTRAINT fk_email_keys_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq_email_keys_email_key UNIQUE (email_key),
    CONSTRAINT ck_email_keys_email_key_length CHECK (char_length(email_key) BETWEEN 3 AND 1000)
);

CREATE TABLE sessions (
    user_id text NOT NULL,
    id uuid NOT NULL,
    counter bigint DEFAULT 0 NOT NULL,
    rotated_at timestamp with time zone DEFAULT now() NOT NULL,
    late timestamp with time zone[] DEFAULT '{}' NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT pk_sessions PRIMARY KEY (user_id, id),
    CONSTRAINT fk_sessions_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_sessions_counter_counts_up CHECK (counter >= 0),
    CONSTRAINT ck_sessions_few_late CHECK (cardinality(late) <= 3)
);

ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE email_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON credentials TO task_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));

CREATE POLICY own_rows ON email_keys TO task_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));

CREATE POLICY own_rows ON sessions TO task_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));

GRANT SELECT, INSERT, UPDATE, DELETE ON credentials, email_keys, sessions TO task_api;

-- For the purge, like those of the other tables.
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);

-- Who signs in with this address, at most one row. It runs with the rights of its owner, and answers nothing to a statement
-- that runs for a user.
CREATE FUNCTION credentials_of(key text) RETURNS TABLE (user_id text, email text, name text, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
AS $$
    SELECT found.user_id, found.email, found.name, found.password_hash
    FROM public.email_keys AS keys JOIN public.credentials AS found ON found.user_id = keys.user_id
    WHERE keys.email_key = key AND nullif(current_setting('app.user_id', true), '') IS NULL
$$;

REVOKE ALL ON FUNCTION credentials_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION credentials_of TO task_api;

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
    UNION
    (SELECT user_id FROM public.sessions
     WHERE expires_at < now() - interval '30 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
$$;
