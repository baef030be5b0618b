ALTER TABLE tasks DROP COLUMN request_hash;
