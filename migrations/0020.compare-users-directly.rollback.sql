ALTER POLICY own_rows ON users
    USING (id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON tasks
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON idempotency_keys
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON tombstones
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON access_tokens
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON labels
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_rows ON lists
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY no_user ON rate_limits
    USING ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL)
    WITH CHECK ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL);

ALTER POLICY own_list ON tasks
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND list_id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND list_id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid));

ALTER POLICY own_list ON lists
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND id = (SELECT nullif(current_setting('app.list_id', true), '')::uuid));

ALTER POLICY own_list ON users
    USING (id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_list ON labels
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));

ALTER POLICY own_list ON tombstones
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND (SELECT nullif(current_setting('app.list_id', true), '')::uuid) = ANY (list_ids));

ALTER POLICY own_list ON idempotency_keys
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND starts_with(key, (SELECT nullif(current_setting('app.list_id', true), '')) || E'\n'))
    WITH CHECK (user_id = (SELECT nullif(current_setting('app.user_id', true), ''))
        AND starts_with(key, (SELECT nullif(current_setting('app.list_id', true), '')) || E'\n'));
