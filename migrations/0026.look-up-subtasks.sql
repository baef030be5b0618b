-- Postgres is to look up the tasks below one in the index of parents, also where it has seen one or two parents only.
--
-- From statistics it then believes that nearly all tasks have the same parent, so that every index that begins with the
-- user seems as good. To read a tree, it would read all that the user has for each task. Without statistics, it takes each
-- parent to have one in 200 of them.
--
-- Naming the same type once more changes no row and no index; it drops the statistics that there are, which would stay.
ALTER TABLE tasks
    ALTER COLUMN parent_id TYPE uuid,
    ALTER COLUMN parent_id SET STATISTICS 0;
