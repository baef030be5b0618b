-- What all names of one label have in common. Postgres derives it from name_key, which is the name in one composition and one
-- case: so rows of a release before have it, too, and keep it when that release renames them. Left out are characters that
-- cannot be seen, such as U+200B; a run of white space becomes one space, full width ASCII plain ASCII, and the dotted and
-- the dotless i of Turkish an i. name_key stays as it is: a release before looks labels up by it.
--
-- Labels that were different before, and have the same key now, stay two labels. Hence this index is not unique.
--
-- This rewrites the table of labels, and blocks requests that need it while it runs: up to fifteen seconds for a million labels,
-- of which a user has 1,000 at most. ASCII, which most names are, is not translated: that takes most of the time.
ALTER TABLE labels ADD COLUMN match_key text GENERATED ALWAYS AS (
    btrim(
        regexp_replace(
            CASE
                WHEN octet_length(name_key) = char_length(name_key) THEN name_key
                ELSE replace(
                    translate(
                        name_key,
                        U&'\ff01\ff02\ff03\ff04\ff05\ff06\ff07\ff08\ff09\ff0a\ff0b\ff0c\ff0d\ff0e\ff0f\ff10\ff11\ff12\ff13\ff14\ff15\ff16\ff17\ff18\ff19\ff1a\ff1b\ff1c\ff1d\ff1e\ff1f\ff20\ff3b\ff3c\ff3d\ff3e\ff3f\ff40\ff41\ff42\ff43\ff44\ff45\ff46\ff47\ff48\ff49\ff4a\ff4b\ff4c\ff4d\ff4e\ff4f\ff50\ff51\ff52\ff53\ff54\ff55\ff56\ff57\ff58\ff59\ff5a\ff5b\ff5c\ff5d\ff5e\0131\00a0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200a\2028\2029\202f\205f\3000\00ad\034f\061c\115f\1160\17b4\17b5\180b\180c\180d\180e\180f\200b\200c\200d\200e\200f\202a\202b\202c\202d\202e\2060\2061\2062\2063\2064\2065\2066\2067\2068\2069\206a\206b\206c\206d\206e\206f\2800\3164\fe00\fe01\fe02\fe03\fe04\fe05\fe06\fe07\fe08\fe09\fe0a\fe0b\fe0c\fe0d\fe0e\fe0f\feff\ffa0\fff0\fff1\fff2\fff3\fff4\fff5\fff6\fff7\fff8\fff9\fffa\fffb',
                        U&'!"#$%&''()*+,-./0123456789:;<=>?@[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~i                  '
                    ),
                    U&'i\0307',
                    'i'
                )
            END,
            ' +',
            ' ',
            'g'
        )
    )
) STORED NOT NULL;

CREATE INDEX ix_labels_user_id_match_key ON labels (user_id, match_key);

GRANT SELECT (match_key) ON labels TO task_api_list;
