DROP FUNCTION ids_of_tasks (uuid[]);
REVOKE ALL ON tasks, idempotency_keys, lists, tombstones, users, labels FROM task_api_list;
DROP POLICY own_list ON labels;
DROP POLICY own_list ON users;
DROP POLICY own_list ON idempotency_keys;
DROP POLICY own_list ON tombstones;
DROP POLICY own_list ON lists;
DROP POLICY own_list ON tasks;
DELETE FROM idempotency_keys WHERE key LIKE E'%\n%';
ALTER TABLE idempotency_keys
    DROP CONSTRAINT ck_idempotency_keys_key_length,
    ADD CONSTRAINT ck_idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 255);
DELETE FROM tombstones WHERE kind = 'moved';
ALTER TABLE tombstones
    DROP CONSTRAINT ck_tombstones_kind_known,
    ADD CONSTRAINT ck_tombstones_kind_known CHECK (kind IN ('task', 'label', 'list')),
    DROP COLUMN list_ids;
DELETE FROM access_tokens WHERE list_id IS NOT NULL;
ALTER TABLE access_tokens DROP CONSTRAINT fk_access_tokens_user_id_list_id_lists, DROP COLUMN list_id;
