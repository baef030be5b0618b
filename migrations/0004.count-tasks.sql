-- How many rows of tasks each user has, deleted ones included. Counted in the statement that stores a task, on the row
-- that it locks anyway: a limit then costs no further round trip and holds however many requests come at once.
--
-- This locks the table of users until every task is counted: a service that runs meanwhile waits, and then goes on.
ALTER TABLE users
    ADD COLUMN task_count bigint DEFAULT 0 NOT NULL,
    ADD CONSTRAINT ck_users_task_count_not_negative CHECK (task_count >= 0);

UPDATE users
SET task_count = counted.task_count
FROM (SELECT user_id, count(*) AS task_count FROM tasks GROUP BY user_id) AS counted
WHERE counted.user_id = users.id;
