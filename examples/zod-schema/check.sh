#!/usr/bin/env bash
# Emits each declaration from its zod schema and holds environments against it with envsec. Run `npm install` before.
set -euo pipefail
cd "$(dirname "$0")"
secret=0123456789abcdef0123456789abcdef

# emit NAME: env.schema.json is what zod says, with no edit.
emit() { node emit.mjs "$1" >env.schema.json; }

# process NAME=VALUE...: a process with these variables and no others.
process() { env -i PATH="$PATH" "$@" envsec validate --process-only; }

# refused NAME=VALUE...: the same, where envsec has to find something wrong.
refused() {
  local status=0
  process "$@" || status=$?
  [ "$status" = 3 ] || { echo "check.sh: status $status instead of 3" >&2; exit 1; }
}

emit api
echo 'api, as it should be'
api=(DATABASE_URL=postgres://user:password@localhost:5432/app JWT_SECRET="$secret" STRIPE_SECRET_KEY=sk_test_1 STRIPE_WEBHOOK_SECRET=whsec_1)
process "${api[@]}"
echo 'api, with four mistakes'
refused "${api[@]}" NODE_ENV=prod PORT=abc DATABASE_URL= JWT_SECRET=tooshort12

emit worker
echo 'worker, as it should be'
worker=(NODE_ENV=production DATABASE_URL=postgres://a:1,b:2/db JWT_SECRET="$secret" API_KEY="$secret" ENCRYPTION_KEY="$secret$secret")
process "${worker[@]}"
echo 'worker, with two mistakes'
refused "${worker[@]}" NODE_ENV= ENCRYPTION_KEY="$secret"

emit web
echo 'web, as it should be'
web=(DATABASE_URL=postgres://localhost/app JWT_SECRET="$secret" STRIPE_SECRET_KEY=sk_test_1 NEXT_PUBLIC_API_URL=https://api.example.com NEXT_PUBLIC_STRIPE_KEY=pk_test_1)
process "${web[@]}"
echo 'web, with a secret where browsers see it'
refused "${web[@]}" NEXT_PUBLIC_STRIPE_KEY=sk_test_0123456789abcdefghij
