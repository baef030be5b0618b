-- Which task a task is a subtask of. There is no key: files may bring subtasks before their parent. No row is rewritten. A
-- service of the release before stores tasks without a parent, and keeps that of others.
--
-- has_subtasks: whether a change of the task must look for tasks below it. It may be true when there are none any more.
ALTER TABLE tasks
    ADD COLUMN parent_id uuid,
    ADD COLUMN has_subtasks boolean DEFAULT false NOT NULL,
    ADD CONSTRAINT ck_tasks_parent_is_another CHECK (parent_id <> id) NOT VALID;

ALTER TABLE tasks VALIDATE CONSTRAINT ck_tasks_parent_is_another;

CREATE INDEX ix_tasks_user_id_parent_id_id ON tasks (user_id, parent_id, id) WHERE parent_id IS NOT NULL;

-- A new task would also take what waits for a parent with its id into its list. In a session of one list, nothing outside of
-- it may change: it gets no id for which others wait, either.
-- It looks for each id: for many at once, Postgres would read an index of all tasks that the user has.
CREATE OR REPLACE FUNCTION ids_of_tasks(ids uuid[]) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT array_agg(named) FROM unnest(ids) AS named
    WHERE (SELECT true FROM public.tasks
            WHERE user_id = nullif(current_setting('app.user_id', true), '') AND id = named)
        OR (SELECT true FROM public.tasks
            WHERE user_id = nullif(current_setting('app.user_id', true), '') AND parent_id = named
                AND list_id IS DISTINCT FROM nullif(current_setting('app.list_id', true), '')::uuid LIMIT 1)
$$;
