-- The greatest position that a user's tasks and lists have been given: what is put last comes after it, even if the clock
-- has gone back or a client has written a late position. See backend/utils/positions.py. No table is rewritten, but all
-- tasks are read once, about a second for a million, while changes wait. A service of the release before goes on: it leaves
-- the column alone.
ALTER TABLE users ADD COLUMN last_position text COLLATE "C"
    DEFAULT 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint)::text, 16, '0') || '0000001' NOT NULL;
GRANT UPDATE (last_position) ON users TO task_api_list;

-- What clients have put after that would come after all new tasks, and may leave no room. It keeps its order, but gets
-- positions of now. These few are changes with revisions of their own, so that those who follow the feed see them.
WITH late AS (
    SELECT tasks.user_id, tasks.id,
        row_number() OVER (PARTITION BY tasks.user_id ORDER BY tasks.position, tasks.id) AS number
    FROM tasks JOIN users ON users.id = tasks.user_id
    WHERE tasks.position > users.last_position
), counted AS (
    UPDATE users
    SET revision = users.revision + of_user.number,
        last_position = 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint + 1)::text, 16, '0')
            || lpad(of_user.number::text, 10, '0') || '1'
    FROM (SELECT late.user_id, count(*) AS number FROM late GROUP BY late.user_id) AS of_user
    WHERE users.id = of_user.user_id
    RETURNING users.id, users.revision - of_user.number AS revision
)
UPDATE tasks
SET position = 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint + 1)::text, 16, '0')
        || lpad(late.number::text, 10, '0') || '1',
    revision = counted.revision + late.number,
    updated_at = greatest(now(), tasks.updated_at)
FROM late JOIN counted ON counted.id = late.user_id
WHERE tasks.user_id = late.user_id AND tasks.id = late.id;

WITH late AS (
    SELECT lists.user_id, lists.id,
        row_number() OVER (PARTITION BY lists.user_id ORDER BY lists.position, lists.id) AS number
    FROM lists JOIN users ON users.id = lists.user_id
    WHERE lists.position > users.last_position
), counted AS (
    UPDATE users
    SET revision = users.revision + of_user.number,
        last_position = 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint + 2)::text, 16, '0')
            || lpad(of_user.number::text, 10, '0') || '1'
    FROM (SELECT late.user_id, count(*) AS number FROM late GROUP BY late.user_id) AS of_user
    WHERE users.id = of_user.user_id
    RETURNING users.id, users.revision - of_user.number AS revision
)
UPDATE lists
SET position = 'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint + 2)::text, 16, '0')
        || lpad(late.number::text, 10, '0') || '1',
    revision = counted.revision + late.number,
    updated_at = greatest(now(), lists.updated_at)
FROM late JOIN counted ON counted.id = late.user_id
WHERE lists.user_id = late.user_id AND lists.id = late.id;
