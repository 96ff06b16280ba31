#!/bin/sh
# Gives a role of PostgreSQL the password that comes on standard input: for --on-set and --on-abort.
#
# The role is the idle one of a pair (envsec rotate --pair), else $ROLE. The login that may change it comes from the
# environment, as for every program of PostgreSQL: PGHOST, PGPORT, PGDATABASE, PGUSER, PGPASSFILE.
set -eu
role=${ENVSEC_IDLE:-$ROLE}
password=$(cat)
# \password asks twice and sends a verifier: the password is in no argument, and in no log of the server.
if ! said=$(printf '%s\n%s\n' "$password" "$password" | psql -qX --set=role="$role" --command='\password :role' 2>&1); then
  printf '%s\n' "$said" >&2
  exit 1
fi
