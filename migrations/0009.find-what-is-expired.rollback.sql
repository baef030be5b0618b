DROP INDEX ix_idempotency_keys_created_at;
DROP INDEX ix_tombstones_deleted_at;
DROP INDEX ix_tasks_deleted_at;
DROP POLICY expired ON idempotency_keys;
DROP POLICY expired ON tombstones;
DROP POLICY expired ON tasks;
