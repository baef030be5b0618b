#!/bin/sh
# Makes the roles and the database on a Postgres of one's own, as a superuser; compose.yaml has it done on a new server.
#
# task_api          whom every request acts as: row-level security binds it, and nobody logs in as it. What it may do, its
#                   members may: so a login that takes the place of task_api_service needs nothing but to be one
# task_api_list     the same for requests with a token for one list
# task_api_owner    owns the tables: for `task-api migrate` alone
# task_api_service  for `task-api serve`: may do what these two may, and nothing else
#
# OWNER_PASSWORD and SERVICE_PASSWORD are read from the environment, so that no list of processes shows them.
set -eu
: "${OWNER_PASSWORD:?}" "${SERVICE_PASSWORD:?}"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv service_password SERVICE_PASSWORD
CREATE ROLE task_api NOLOGIN;
CREATE ROLE task_api_list NOLOGIN;
CREATE ROLE task_api_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE task_api_service LOGIN PASSWORD :'service_password';
GRANT task_api, task_api_list TO task_api_owner, task_api_service;
CREATE DATABASE task_api OWNER task_api_owner;
REVOKE ALL ON DATABASE task_api FROM PUBLIC;
GRANT CONNECT ON DATABASE task_api TO task_api;
SQL
