-- Users, and the role that every request runs as.
--
-- task_api owns nothing, cannot log in and has no BYPASSRLS, so row-level security binds it. The service's own login
-- may be an owner, a superuser or have BYPASSRLS (Neon's default role does), which is why each request switches to it.
-- Roles belong to the whole server: another database of this service may have made it already, at this very moment.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'task_api') THEN
        BEGIN
            CREATE ROLE task_api NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF;
    -- Since Postgres 16 whoever creates a role may grant it, but may not switch to it without SET.
    IF current_setting('server_version_num')::integer >= 160000 THEN
        IF NOT pg_has_role(current_user, 'task_api', 'SET') THEN
            EXECUTE 'GRANT task_api TO CURRENT_USER WITH INHERIT FALSE, SET TRUE';
        END IF;
    ELSIF NOT pg_has_role(current_user, 'task_api', 'MEMBER') THEN
        GRANT task_api TO CURRENT_USER;
    END IF;
END
$$;

-- revision: goes up by one with every change that the user makes; the position in the user's history.
CREATE TABLE users (
    id text NOT NULL,
    revision bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT ck_users_id_length CHECK (char_length(id) BETWEEN 1 AND 255),
    CONSTRAINT ck_users_revision_counts_up CHECK (revision >= 0)
);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;

-- In a sub-select, so that it is evaluated once per statement and not once per row. A setting that was only ever set
-- inside a transaction reads '' afterwards, not NULL.
CREATE POLICY own_rows ON users TO task_api
    USING (id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE, DELETE ON users TO task_api;

-- The readiness check compares what is applied with the files.
GRANT SELECT ON _yoyo_migration TO task_api;
