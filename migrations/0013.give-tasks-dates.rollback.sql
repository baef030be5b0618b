ALTER TABLE users DROP CONSTRAINT ck_users_timezone_length, DROP COLUMN timezone;
DROP INDEX ix_tasks_user_id_in_trash_completed_due_key_id;
ALTER TABLE tasks
    DROP CONSTRAINT ck_tasks_due_is_day_or_time,
    DROP CONSTRAINT ck_tasks_start_is_day_or_time,
    DROP CONSTRAINT ck_tasks_start_is_of_the_kind_of_due,
    DROP CONSTRAINT ck_tasks_start_is_not_after_due,
    DROP CONSTRAINT ck_tasks_timezone_has_time,
    DROP CONSTRAINT ck_tasks_timezone_length,
    DROP COLUMN due_date,
    DROP COLUMN due_at,
    DROP COLUMN start_date,
    DROP COLUMN start_at,
    DROP COLUMN timezone,
    DROP COLUMN due_key;
