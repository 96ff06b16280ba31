#!/usr/bin/env bash
# Builds the release of HEAD twice, in surroundings that have as little as possible in common, and compares.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
commit=$(git rev-parse HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The second build has a home of its own; the compiler and the tools stay those of the first.
export RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
python3 release/sbom.py --install
PATH=$root/target/tools/bin:$PATH

# build PLACE VARIABLE=VALUE...: the release from a clone in PLACE
build() {
  local place=$1
  shift
  git clone --quiet --no-local "$root" "$place"
  git -C "$place" -c advice.detachedHead=false checkout --quiet "$commit"
  printf '\n== in %s\n' "$place"
  SECONDS=0
  env -u CARGO_TARGET_DIR "$@" "$place/release/build.sh"
  printf '%d seconds\n' "$SECONDS"
}

(umask 022; build "$work/a" TZ=UTC LANG=C CARGO_BUILD_JOBS=2)
other="$work/ein anderer, längerer Ort/envsec"
mkdir -p "$work/home"
(umask 077; build "$other" HOME="$work/home" CARGO_HOME="$work/home/crates of its own" \
  CARGO_TARGET_DIR="$work/built elsewhere" \
  TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 CARGO_BUILD_JOBS=1)

printf '\n== compared\n'
first=("$work"/a/target/dist/*.tar.gz)
second=("$work/built elsewhere"/dist/*.tar.gz)
if ! cmp "${first[0]}" "${second[0]}"; then
  diff -r "$work/a/target/dist" "$work/built elsewhere/dist" || true
  echo "release/reproduce.sh: $commit is not reproducible" >&2
  exit 1
fi
sha256sum <"${first[0]}"
printf '%s: the same %d bytes twice, commit %s\n' "${first[0]##*/}" "$(wc -c <"${first[0]}")" "$commit"
