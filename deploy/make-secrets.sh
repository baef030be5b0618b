#!/bin/sh
# Writes deploy/secrets/: passwords of a new installation, and the environment of each service of compose.yaml.
#
# Nobody but the owner enters the folder. Its files are open to all, because the users of the containers read them.
set -eu
cd "$(dirname "$0")"
if [ -e secrets ]; then
    echo 'deploy/secrets is there already: remove it to make new ones, for a new database.' >&2
    exit 1
fi

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

umask 022
mkdir -m 700 secrets
owner=$(random)
service=$(random)
printf '%s\n' "POSTGRES_PASSWORD=$(random)" "OWNER_PASSWORD=$owner" "SERVICE_PASSWORD=$service" >secrets/postgres.env
printf '"task_api_service" "%s"\n' "$service" >secrets/pgbouncer-users
# Production asks for a key; migrations use none.
cat >secrets/migrate.env <<END
DATABASE_URL=postgresql://task_api_owner:$owner@postgres:5432/task_api
JWT_SECRET=$(random)
END
# Whoever signs your users' tokens needs this secret; or name a JWT_JWKS_URL in its place, and what else .env.example has.
cat >secrets/api.env <<END
DATABASE_URL=postgresql://task_api_service:$service@pgbouncer:6432/task_api
JWT_SECRET=$(random)
END
