-- Postgres is to plan for every user alike, as for one with much to do.
--
-- From statistics it believes that whoever is new, or not among those whom it has counted, has about one task. Then
-- every index that begins with the user seems as good as the next, and a task is looked for among all that the user has.
-- Statistics come too late for that: the more rows a table has, the more must change before they are made again. Without
-- any, it takes each user to have one in 200 of all rows, at any time; and looks for a task by its key, and for a page
-- in the index of its order.
--
-- Naming the same type once more changes no row and no index; it drops the statistics that there are, which would stay.
-- Postgres wants the policy, which reads the column, to be away meanwhile.
DROP POLICY own_rows ON tasks;

ALTER TABLE tasks
    ALTER COLUMN user_id TYPE text,
    ALTER COLUMN user_id SET STATISTICS 0;

CREATE POLICY own_rows ON tasks TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));
