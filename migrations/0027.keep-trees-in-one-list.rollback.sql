-- There is nothing to undo: the release before reads and writes the same columns.
SELECT 1;
