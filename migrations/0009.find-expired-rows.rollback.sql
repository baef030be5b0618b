DROP INDEX ix_idempotency_keys_created_at;
DROP INDEX ix_tombstones_deleted_at;
DROP INDEX ix_tasks_deleted_at;
DROP FUNCTION users_with_expired_rows;
