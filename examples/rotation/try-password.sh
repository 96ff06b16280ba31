#!/bin/sh
# Logs in with the password that comes on standard input, as the role that set-password.sh changes: for --on-test.
set -eu
PGUSER=${ENVSEC_IDLE:-$ROLE} PGPASSWORD=$(cat) psql -qXAt --command='SELECT 1' >/dev/null
