CREATE OR REPLACE FUNCTION ids_of_tasks(ids uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(id) FROM public.tasks
    WHERE user_id = nullif(current_setting('app.user_id', true), '') AND id = ANY (ids)
$$;

ALTER TABLE tasks
    DROP CONSTRAINT ck_tasks_parent_is_another,
    DROP COLUMN has_subtasks,
    DROP COLUMN parent_id;
