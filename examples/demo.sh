#!/usr/bin/env bash
# envsec's main job on a real npm application, from a plaintext .env to `envsec run -- npm start`.
# Works in a temporary git repository, prints each command as it goes, and ends with `demo: ok`.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n# %s\n' "$*"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }
step() { printf '$ %s\n' "$1"; eval "$1"; } # what is printed is what runs

server=
scratch=$(mktemp -d)
cleanup() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap cleanup EXIT

for tool in cargo git node npm; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done
if ! command -v curl >/dev/null; then
  curl() { node -e 'fetch(process.argv.at(-1)).then((r) => r.text()).then((t) => process.stdout.write(t))' -- "$@"; }
fi

say "Build the release binary"
step "cargo build --release --locked --quiet"
PATH=$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd):$PATH

# Nothing of the caller's settings may stand in for what the demo shows.
unset "${!ENVSEC_@}" "${!GIT_@}" PORT GREETING DATABASE_URL JWT_SECRET
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

say "A project with its plaintext .env: a \$, a # and line breaks in the values"
cp -R examples/web-app "$scratch/web-app"
cd "$scratch/web-app"
rm -rf node_modules
git init --quiet --initial-branch=main

greeting='Hello # this is no comment'
# shellcheck disable=SC2016 # the dollars are the point
database_url='postgres://app:pa$$word@127.0.0.1:5432/app'
jwt_secret=$(node -p 'crypto.generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).trim()')
cat >.env <<EOF
# Any free port
PORT=0
GREETING="$greeting"
DATABASE_URL='$database_url'
JWT_SECRET='$jwt_secret'
EOF
step "npm ci --no-audit --no-fund --loglevel=error"

say "Seal it"
step "export ENVSEC_PASSWORD=\$(node -p 'crypto.randomUUID()')"
step "envsec init"

say "env.schema.json declares what has to be there: until it is, nothing is started"
status=0
step "envsec run -- touch ../started" || status=$?
[ "$status" = 125 ] || fail "expected status 125, got $status"
[ ! -e ../started ] || fail "the command ran"

say "Bring the values in"
step "envsec import .env --plain PORT"
step "rm .env"
step "envsec validate"
step "envsec status"

say "The sealed file goes into git, and none of the secrets with it"
step "git add ."
step "git status --short"
git grep --quiet --cached -e '^PORT=0$' -- .env.enc || fail ".env.enc, with PORT plain, was not added"
for secret in "$greeting" "$database_url" "$(sed -n 2p <<<"$jwt_secret")"; do
  if git grep --quiet --cached --fixed-strings -e "$secret"; then fail "a secret is in git"; fi
done

say "Start the application with its secrets"
step "envsec run -- npm start >../server.log &"
server=$!
for _ in {1..300}; do
  url=$(sed -n 's/^listening on //p' ../server.log)
  if [ -n "$url" ]; then break; fi
  kill -0 "$server" 2>/dev/null || fail "the application did not start"
  sleep 0.1
done
[ -n "$url" ] || fail "the application does not listen"
printf '%s\n' "listening on $url"

proof() { # what the application answers when VALUE arrived in NAME byte for byte
  printf '"%s":{"arrived":true,"bytes":%d,"sha256":"%.12s"}' "$1" "$(printf %s "$2" | wc -c)" "$(printf %s "$2" | sha256sum)"
}
expected="{$(proof GREETING "$greeting"),$(proof DATABASE_URL "$database_url"),$(proof JWT_SECRET "$jwt_secret")}"
step "curl --silent --show-error --max-time 10 $url/ | tee ../answer.json"
printf '\n'
[ "$(cat ../answer.json)" = "$expected" ] || fail "expected $expected"

say "Stop it: the signal goes straight to npm, envsec has left the process"
step "kill -TERM $server"
status=0
wait "$server" || status=$?
server=
[ "$status" = 0 ] || fail "npm start ended with status $status, not 0"
if curl --silent --max-time 2 "$url/health" >/dev/null 2>&1; then fail "the application still answers"; fi

say "A wrong password starts nothing"
status=0
step "ENVSEC_PASSWORD=wrong envsec run -- touch ../started" || status=$?
[ "$status" = 125 ] || fail "expected status 125, got $status"
[ ! -e ../started ] || fail "the command ran"
printf 'status %s\n' "$status"

printf '\ndemo: ok\n'
