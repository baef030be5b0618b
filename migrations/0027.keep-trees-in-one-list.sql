-- Before, some calls could leave a task in another list than its parent. It stays in its list, and leaves the parent: so
-- whoever follows either list goes on to see the same tasks. These few are changes with revisions of their own, so that those
-- who follow the feed see them. All subtasks are read once, some seconds for a million, while changes of these users wait.
WITH stray AS (
    SELECT below.user_id, below.id,
        row_number() OVER (PARTITION BY below.user_id ORDER BY below.position, below.id) AS number
    FROM tasks AS below JOIN tasks AS above ON above.user_id = below.user_id AND above.id = below.parent_id
    WHERE below.list_id IS DISTINCT FROM above.list_id
), counted AS (
    UPDATE users
    SET revision = users.revision + of_user.number
    FROM (SELECT stray.user_id, count(*) AS number FROM stray GROUP BY stray.user_id) AS of_user
    WHERE users.id = of_user.user_id
    RETURNING users.id, users.revision - of_user.number AS revision
)
UPDATE tasks
SET parent_id = NULL, revision = counted.revision + stray.number, updated_at = greatest(now(), tasks.updated_at)
FROM stray JOIN counted ON counted.id = stray.user_id
WHERE tasks.user_id = stray.user_id AND tasks.id = stray.id;
