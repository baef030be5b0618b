-- What a create request under an id of the client's own said, as a hash: the same request again is then told from
-- another one under the same id, also when the task was edited since. Null where the service chose the id, and for tasks
-- of earlier versions.
ALTER TABLE tasks
    ADD COLUMN request_hash bytea,
    ADD CONSTRAINT ck_tasks_request_hash_length CHECK (octet_length(request_hash) = 32);
