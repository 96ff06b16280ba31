#!/usr/bin/env bash
# Measures the binary as its users start it, and prints one table; docs/benchmarks.md explains the columns.
#
#   benches/start.sh           builds the release binary and measures it
#   benches/start.sh --quick   a few runs of each, to see that it works; the figures mean little
#
# ENVSEC=target/release/envsec measures that binary as it is; examples/scrypt_call has to lie beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=100 runs=6 password_rounds=20
case "${1:-}" in
  --quick) rounds=1 runs=2 password_rounds=1 ;;
  '') ;;
  *) sed -n '2,7s/^# \{0,1\}//p' benches/start.sh >&2; exit 2 ;;
esac

need() {
  command -v "$1" >/dev/null && return
  echo "benches/start.sh: $1 is missing; on Debian: apt-get install $2" >&2
  exit 1
}
need hyperfine hyperfine
need python3 python3
need /usr/bin/time time

if [ -z "${ENVSEC:-}" ]; then
  cargo build --quiet --release --locked --bin envsec --example scrypt_call
  ENVSEC=${CARGO_TARGET_DIR:-target}/release/envsec
fi
envsec=$(realpath "$ENVSEC")
scrypt_call=$(realpath "$(dirname "$ENVSEC")/examples/scrypt_call")
table=$(realpath benches/table.py)

# What is measured must not depend on the caller's environment.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir json
ln -s "$envsec" envsec
ln -s "$scrypt_call" scrypt_call
clean=(env -i "PATH=/usr/local/bin:/usr/bin:/bin" LC_ALL=C.UTF-8)
password='correct horse battery staple'

# entries N FILE: FILE becomes a sealed file with N secrets, which the password and the raw key open.
entries() {
  cp empty.enc "$2"
  for number in $(seq "$1"); do
    printf 'SECRET_%05d=value-%05d-abcdefghijklmnop\n' "$number" "$number"
  done >plain
  "${by_key[@]}" ./envsec -f "$2" import plain >/dev/null 2>&1
}
"${clean[@]}" ENVSEC_PASSWORD="$password" ./envsec -f empty.enc init --raw-key >key 2>/dev/null
by_key=("${clean[@]}" "ENVSEC_KEY=$(cat key)")
by_password=("${clean[@]}" "ENVSEC_PASSWORD=$password")
entries 20 .env.enc
entries 1 1.enc
entries 200 200.enc
entries 10000 10000.enc
entries 500 500.enc

# declaration N FILE: a declaration of N variables, a few rules and a description each.
declaration() {
  python3 - "$1" >"$2" <<'END'
import json, sys
rules = [{"minLength": 8}, {"format": "starts_with", "pattern": "^value.*"}, {"maxLength": 99}, {"default": "x"}]
names = [f"SECRET_{number:05}" for number in range(1, int(sys.argv[1]) + 1)]
of = lambda at: {"type": "string", "description": "What it is for"} | rules[at % len(rules)]
print(json.dumps({"type": "object", "properties": {name: of(at) for at, name in enumerate(names)}, "required": names}))
END
}
declaration 20 20.json
declaration 500 500.json

# Each round measures every command a few times, so that what else the machine does meets all of them; a command is
# compared with the `true` and the scrypt call of its own round.
for round in $(seq "$rounds"); do
  "${by_key[@]}" hyperfine -N --style none --warmup 3 --runs "$runs" --export-json "json/key-$round.json" \
    -n 'true' true \
    -n 'envsec --version' './envsec --version' \
    -n 'run -- true, 1 secret' './envsec -f 1.enc run -- true' \
    -n 'run -- true, 20 secrets' './envsec run -- true' \
    -n 'run -- true, 200 secrets' './envsec -f 200.enc run -- true' \
    -n 'run -- true, 20 secrets, declared' './envsec --schema 20.json run -- true' \
    -n 'run -- true, 500 secrets' './envsec -f 500.enc run -- true' \
    -n 'run -- true, 500 secrets, declared' './envsec -f 500.enc --schema 500.json run -- true' \
    -n 'get, of 20' './envsec get SECRET_00010' \
    -n 'set, of 20' './envsec set SECRET_00012 --generate hex:32' 2>/dev/null
  "${by_key[@]}" hyperfine -N --style none --runs "$((runs / 8 + 1))" --export-json "json/large-$round.json" \
    -n 'true' true \
    -n 'get, of 10,000' './envsec -f 10000.enc get SECRET_05000' \
    -n 'set, of 10,000' './envsec -f 10000.enc set SECRET_05000 --generate hex:32' 2>/dev/null
done
for round in $(seq "$password_rounds"); do
  "${by_password[@]}" hyperfine -N --style none --runs $((runs / 10 + 1)) --export-json "json/password-$round.json" \
    -n 'true' true \
    -n 'a bare scrypt call, ln=17' './scrypt_call' \
    -n 'run -- true, 20 secrets, password' './envsec run -- true' 2>/dev/null
done

# peak COMMAND...: its peak memory in KiB.
peak() { "${by_key[@]}" /usr/bin/time --format %M --output peak "$@" >/dev/null && cat peak; }

python3 "$table" json/*.json
cat <<END

| size | KiB |
|---|---|
| peak memory of \`--version\` | $(peak ./envsec --version) |
| peak memory of \`get\`, of 20 | $(peak ./envsec get SECRET_00010) |
| the file with 10,000 entries | $(($(wc -c <10000.enc) / 1024)) |
| peak memory of \`get\`, of 10,000 | $(peak ./envsec -f 10000.enc get SECRET_05000) |
| peak memory of \`set\`, of 10,000 | $(peak ./envsec -f 10000.enc set SECRET_05000 --generate hex:32) |
| the binary | $(($(wc -c <"$envsec") / 1024)) |
END
