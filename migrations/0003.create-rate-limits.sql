-- Counters of requests, which the workers share. Nothing here is a user's own: the policy shows the rows only to a
-- statement that runs for no user, so no request can see or change them. No foreign key: whoever only reads has no row
-- in users.
CREATE TABLE rate_limits (
    user_id text NOT NULL,
    window_start timestamp with time zone NOT NULL,
    requests bigint NOT NULL,
    CONSTRAINT pk_rate_limits PRIMARY KEY (user_id, window_start),
    CONSTRAINT ck_rate_limits_user_id_length CHECK (char_length(user_id) BETWEEN 1 AND 255),
    CONSTRAINT ck_rate_limits_requests_counts_up CHECK (requests > 0)
);

ALTER TABLE rate_limits ENABLE ROW LEVEL SECURITY;

CREATE POLICY no_user ON rate_limits TO task_api
    USING ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL)
    WITH CHECK ((SELECT nullif(current_setting('app.user_id', true), '')) IS NULL);

GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO task_api;
