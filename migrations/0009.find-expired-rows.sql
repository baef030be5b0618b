-- The purge has to find out, for no user, who has something that is past its time: 30 days in the trash or as a tombstone, a
-- day for an answer that was kept. It then removes that as each user in turn, behind both walls.
--
-- This function runs with the rights of its owner, whom row-level security does not bind. All it tells is user ids, and
-- those only to a statement that runs for no user, which a request never does. A second policy would not do: policies add
-- up with OR, and the conditions of every list would no longer be those of an index.
CREATE FUNCTION users_with_expired_rows(passed_over text[], most bigint) RETURNS SETOF text
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
$$;

REVOKE ALL ON FUNCTION users_with_expired_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION users_with_expired_rows TO task_api;

-- The only indexes that no user leads: what they are for goes across users.
CREATE INDEX ix_tasks_deleted_at ON tasks (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_tombstones_deleted_at ON tombstones (deleted_at);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
