-- The role stays: another database on this server may be using it.
REVOKE SELECT ON _yoyo_migration FROM task_api;
DROP TABLE users;
