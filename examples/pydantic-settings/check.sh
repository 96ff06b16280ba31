#!/usr/bin/env bash
# Emits the declaration from the pydantic settings and holds environments against it with envsec. Run
# `pip install -r requirements.txt` before.
set -euo pipefail
cd "$(dirname "$0")"
secret=0123456789abcdef0123456789abcdef

# What pydantic says, with no edit.
python3 emit.py >env.schema.json

# process NAME=VALUE...: a process with these variables and no others.
process() { env -i PATH="$PATH" "$@" envsec validate --process-only; }

# refused NAME=VALUE...: the same, where envsec has to find something wrong.
refused() {
  local status=0
  process "$@" || status=$?
  [ "$status" = 3 ] || { echo "check.sh: status $status instead of 3" >&2; exit 1; }
}

echo 'as it should be'
settings=(DATABASE_URL=postgres://user:password@localhost:5432/app JWT_SECRET="$secret")
process "${settings[@]}"
process "${settings[@]}" NODE_ENV=production PORT=8080 DEBUG=yes REDIS_URL=redis://localhost ALLOWED_HOSTS='["a.example", "b.example"]'
echo 'with a name missing and five mistakes'
refused JWT_SECRET=tooshort12 NODE_ENV=prod PORT=0 DEBUG=maybe ALLOWED_HOSTS=a.example
