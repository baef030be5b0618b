-- What each change did, and by whom, kept for 90 days. A row for each revision, with only the fields that differ, as they were.
-- A service of the release before goes on: it notes nothing.
CREATE TABLE events (
    user_id text NOT NULL,
    revision bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor text NOT NULL,
    via text NOT NULL,
    kind text NOT NULL,
    entity_id uuid NOT NULL,
    verb text NOT NULL,
    before jsonb,
    note jsonb,
    request_id text,
    CONSTRAINT pk_events PRIMARY KEY (user_id, revision),
    CONSTRAINT fk_events_user_id_users FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_events_revision_counts_up CHECK (revision > 0)
);

ALTER TABLE events ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_rows ON events TO task_api
    USING (user_id = nullif(current_setting('app.user_id', true), ''))
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));
GRANT SELECT, INSERT, UPDATE, DELETE ON events TO task_api;

-- What a token for one list changes is noted, too. It reads none of this: an event may tell of other lists.
CREATE POLICY own_list ON events FOR INSERT TO task_api_list
    WITH CHECK (user_id = nullif(current_setting('app.user_id', true), ''));
GRANT INSERT ON events TO task_api_list;

CREATE INDEX ix_events_user_id_entity_id_revision ON events (user_id, entity_id, revision);
-- For the purge, like those of the other tables.
CREATE INDEX ix_events_at ON events (at);

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
    UNION
    (SELECT user_id FROM public.events
     WHERE at < now() - interval '90 days' AND user_id <> ALL (passed_over)
         AND nullif(current_setting('app.user_id', true), '') IS NULL
     LIMIT most)
$$;
