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

DROP TABLE events;
