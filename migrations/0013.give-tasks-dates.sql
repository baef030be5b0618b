-- When a task is due and when it starts: a calendar day or a time. `due_key` sorts both: the time, or the end of the day in UTC.
-- It is a plain column, which the service fills: one that Postgres derives would rewrite the table. A service of the release
-- before stores tasks without a due, and leaves those of others alone.
ALTER TABLE tasks
    ADD COLUMN due_date date,
    ADD COLUMN due_at timestamp with time zone,
    ADD COLUMN start_date date,
    ADD COLUMN start_at timestamp with time zone,
    ADD COLUMN timezone text,
    ADD COLUMN due_key timestamp with time zone DEFAULT 'infinity' NOT NULL,
    ADD CONSTRAINT ck_tasks_due_is_day_or_time CHECK (due_date IS NULL OR due_at IS NULL) NOT VALID,
    ADD CONSTRAINT ck_tasks_start_is_day_or_time CHECK (start_date IS NULL OR start_at IS NULL) NOT VALID,
    ADD CONSTRAINT ck_tasks_start_is_of_the_kind_of_due
        CHECK ((start_date IS NULL OR due_at IS NULL) AND (start_at IS NULL OR due_date IS NULL)) NOT VALID,
    ADD CONSTRAINT ck_tasks_start_is_not_after_due CHECK (start_date <= due_date AND start_at <= due_at) NOT VALID,
    ADD CONSTRAINT ck_tasks_timezone_has_time
        CHECK (timezone IS NULL OR due_at IS NOT NULL OR start_at IS NOT NULL) NOT VALID,
    ADD CONSTRAINT ck_tasks_timezone_length CHECK (char_length(timezone) BETWEEN 1 AND 64) NOT VALID;

ALTER TABLE tasks
    VALIDATE CONSTRAINT ck_tasks_due_is_day_or_time,
    VALIDATE CONSTRAINT ck_tasks_start_is_day_or_time,
    VALIDATE CONSTRAINT ck_tasks_start_is_of_the_kind_of_due,
    VALIDATE CONSTRAINT ck_tasks_start_is_not_after_due,
    VALIDATE CONSTRAINT ck_tasks_timezone_has_time,
    VALIDATE CONSTRAINT ck_tasks_timezone_length;

CREATE INDEX ix_tasks_user_id_in_trash_completed_due_key_id ON tasks (user_id, in_trash, completed, due_key, id);

-- The zone in which a user's days begin and end.
ALTER TABLE users
    ADD COLUMN timezone text,
    ADD CONSTRAINT ck_users_timezone_length CHECK (char_length(timezone) BETWEEN 1 AND 64) NOT VALID;

ALTER TABLE users VALIDATE CONSTRAINT ck_users_timezone_length;
