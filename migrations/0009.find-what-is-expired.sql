-- The purge looks, for no user, whose rows are past their time: 30 days in the trash or as a tombstone, a day for an
-- answer that was kept. It then removes them user by user, as that user. These policies let it look at exactly that, and
-- change nothing; a request always runs for a user, and sees no more than before.
CREATE POLICY expired ON tasks FOR SELECT TO task_api
    USING ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL
        AND deleted_at < now() - interval '30 days');
CREATE POLICY expired ON tombstones FOR SELECT TO task_api
    USING ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL
        AND deleted_at < now() - interval '30 days');
CREATE POLICY expired ON idempotency_keys FOR SELECT TO task_api
    USING ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL
        AND created_at < now() - interval '24 hours');

-- The only indexes that no user leads: what they are for goes across users.
CREATE INDEX ix_tasks_deleted_at ON tasks (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_tombstones_deleted_at ON tombstones (deleted_at);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);
