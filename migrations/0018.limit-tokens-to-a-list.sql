-- Personal access tokens for one list. Their requests run as a role of their own, whose policies show only that list: as a
-- condition of the policies for other requests, it would keep Postgres from reading pages from an index.
--
-- Whoever may switch to task_api may switch to this role, too: other logins than the one that migrates may serve. Where the
-- one that migrates may not create roles, somebody else has to first: see docs/operations.md. No row of tasks is rewritten.
DO $$
DECLARE
    has_set CONSTANT boolean := current_setting('server_version_num')::integer >= 160000;
    switching CONSTANT text := CASE WHEN has_set THEN 'SET' ELSE 'MEMBER' END;
    options CONSTANT text := CASE WHEN has_set THEN ' WITH INHERIT FALSE, SET TRUE' ELSE '' END;
    logins text[];
    login text;
BEGIN
    SELECT array_agg(DISTINCT rolname::text) INTO logins
    FROM pg_roles LEFT JOIN pg_auth_members ON member = pg_roles.oid AND roleid = 'task_api'::regrole
    WHERE (rolname = current_user OR member IS NOT NULL) AND pg_has_role(pg_roles.oid, 'task_api', switching);

    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'task_api_list') THEN
        BEGIN
            CREATE ROLE task_api_list NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;  -- another database of this service has made it just now
        END;
    END IF;
    FOREACH login IN ARRAY coalesce(logins, '{}') LOOP
        CONTINUE WHEN pg_has_role(login, 'task_api_list', switching);
        BEGIN
            EXECUTE format('GRANT task_api_list TO %I', login) || options;
        EXCEPTION
            WHEN unique_violation THEN NULL;
        END;
    END LOOP;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE insufficient_privilege USING MESSAGE = format(
            '%s. Let a login that may do this first run: CREATE ROLE task_api_list NOLOGIN, unless there is one, and: %s',
            SQLERRM,
            (SELECT format('GRANT task_api_list TO %s', string_agg(quote_ident(name), ', ')) || options
             FROM unnest(logins) AS name)
        );
END
$$;

-- Null: for all that the user has. The list's removal for good revokes the token.
ALTER TABLE access_tokens
    ADD COLUMN list_id uuid,
    ADD CONSTRAINT fk_access_tokens_user_id_list_id_lists FOREIGN KEY (user_id, list_id)
        REFERENCES lists (user_id, id) ON DELETE CASCADE NOT VALID;

ALTER TABLE access_tokens VALIDATE CONSTRAINT fk_access_tokens_user_id_list_id_lists;

-- list_ids: the lists that a task has left, whose followers are told that it is gone. Of a task that is still there, only
-- they are: its tombstone is of the kind 'moved'.
ALTER TABLE tombstones
    ADD COLUMN list_ids uuid[] DEFAULT '{}' NOT NULL,
    DROP CONSTRAINT ck_tombstones_kind_known,
    ADD CONSTRAINT ck_tombstones_kind_known CHECK (kind IN ('task', 'label', 'list', 'moved')) NOT VALID;

ALTER TABLE tombstones VALIDATE CONSTRAINT ck_tombstones_kind_known;

-- Answers to requests in one list are stored under the id of the list, a line break and the client's key.
ALTER TABLE idempotency_keys
    DROP CONSTRAINT ck_idempotency_keys_key_length,
    ADD CONSTRAINT ck_idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 292) NOT VALID;

ALTER TABLE idempotency_keys VALIDATE CONSTRAINT ck_idempotency_keys_key_length;

CREATE POLICY own_list ON tasks TO task_api_list
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND list_id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND list_id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid));

CREATE POLICY own_list ON lists TO task_api_list
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid));

CREATE POLICY own_list ON tombstones TO task_api_list
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND (SELECT nullif(current_setting('app.list_id', true), '')::uuid) = ANY (list_ids));

CREATE POLICY own_list ON idempotency_keys TO task_api_list
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND starts_with(key, (SELECT nullif(current_setting('app.list_id', true), '')) || E'\n'))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND starts_with(key, (SELECT nullif(current_setting('app.list_id', true), '')) || E'\n'));

-- Of the account, such a request sees and counts the revision, and of the labels their names, which tasks share.
CREATE POLICY own_list ON users TO task_api_list
    USING (id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (id = (SELECT nullif(current_setting('app.user_id', true), '')));

CREATE POLICY own_list ON labels TO task_api_list
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

GRANT SELECT, INSERT, UPDATE ON tasks, idempotency_keys TO task_api_list;
GRANT SELECT ON lists, tombstones, users TO task_api_list;
GRANT INSERT (id), UPDATE (revision, task_count) ON users TO task_api_list;
GRANT SELECT (user_id, name, name_key), INSERT ON labels TO task_api_list;

-- Which of these ids the user's tasks have, in whatever list: a new task cannot get one that a request in one list does not
-- see. It runs with the rights of its owner, and tells nothing but ids that the caller has named.
CREATE FUNCTION ids_of_tasks(ids uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(id) FROM public.tasks
    WHERE user_id = nullif(current_setting('app.user_id', true), '') AND id = ANY (ids)
$$;

REVOKE ALL ON FUNCTION ids_of_tasks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ids_of_tasks TO task_api_list;
