-- The index and the grant go with it.
ALTER TABLE labels DROP COLUMN match_key;
