-- What lists are sorted and searched by. Postgres derives it from the task, so that no statement can forget to.
--
-- Row-level security lets only leakproof conditions use an index: = and < on plain columns are, functions such as lower()
-- are not. So what an index needs is a column. in_trash leads each index, which then serves the list and the trash.
--
-- title_key: short enough for an index, in the order of code points, which no update of a locale can change.
-- completed_key: open tasks come last, as Postgres sorts null; a comparison with null would find nothing.
-- words: every word of title and description, in any language, without stemming. Punctuation is taken out before, or the
-- parser would keep addresses, paths and compounds in one piece, and leave out what looks like markup; and where the
-- database's ctype is C, it takes all that is not ASCII for letters: the usual punctuation of other scripts is in the list.
--
-- This rewrites the table: a service that runs meanwhile waits, and then goes on.
ALTER TABLE tasks
    ADD COLUMN in_trash boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED NOT NULL,
    ADD COLUMN title_key text COLLATE "C" GENERATED ALWAYS AS (left(lower(title), 100)) STORED NOT NULL,
    ADD COLUMN completed_key timestamp with time zone
        GENERATED ALWAYS AS (coalesce(completed_at, 'infinity'::timestamp with time zone)) STORED NOT NULL,
    ADD COLUMN words tsvector GENERATED ALWAYS AS (
        to_tsvector(
            'simple'::regconfig,
            translate(
                title || ' ' || coalesce(description, ''),
                '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~ ¡§«¶·»¿‐‑‒–—―‘’‚“”„†‡•…‹›　、。〈〉《》「」『』【】〔〕！（），．：；？～',
                '                                                                                  '
            )
        )
    ) STORED NOT NULL;

DROP INDEX ix_tasks_user_id_created_at_id;
CREATE INDEX ix_tasks_user_id_in_trash_created_at_id ON tasks (user_id, in_trash, created_at, id);
CREATE INDEX ix_tasks_user_id_in_trash_updated_at_id ON tasks (user_id, in_trash, updated_at, id);
CREATE INDEX ix_tasks_user_id_in_trash_title_key_id ON tasks (user_id, in_trash, title_key, id);
CREATE INDEX ix_tasks_user_id_in_trash_completed_key_id ON tasks (user_id, in_trash, completed_key, id);
-- The list that most people look at: what is open, newest first.
CREATE INDEX ix_tasks_user_id_in_trash_completed_created_at_id ON tasks (user_id, in_trash, completed, created_at, id);
