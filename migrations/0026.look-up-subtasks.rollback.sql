-- The statistics come back by themselves, when the table is next analysed.
ALTER TABLE tasks ALTER COLUMN parent_id SET STATISTICS -1;
