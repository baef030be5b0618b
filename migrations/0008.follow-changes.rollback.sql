ALTER TABLE users DROP COLUMN purged_revision;
DROP TABLE tombstones;
DROP INDEX ix_tasks_user_id_revision;
