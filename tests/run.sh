#!/usr/bin/env bash
# Sets up what the tests need under tests/.tools and runs all of them.
# Arguments go to the test runner: tests/run.sh NAME
set -euo pipefail
cd "$(dirname "$0")/.."
tools=tests/.tools

say() { printf 'tests/run.sh: %s\n' "$*" >&2; }
twice() { "$@" || { say "once more: $*"; sleep 2; "$@"; }; }

# need PACKAGE COMMAND...: COMMAND works, or the Debian package that brings it is installed.
need() {
  local package=$1
  shift
  if "$@" >/dev/null 2>&1; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    say "\`$*\` does not work; on Debian the package $package brings it"
    exit 1
  fi
  say "installing the Debian package $package"
  twice apt-get update -qq
  twice env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
}

python_tools() {
  local python=$tools/venv/bin/python
  if "$python" -c 'import check_jsonschema, cryptography, cyclonedx.validation.json, dotenv, email_validator, jsonschema, pre_commit, pydantic_settings, yaml' 2>/dev/null; then return; fi
  need python3-venv python3 -c 'import ensurepip, venv'
  local packages=(check-jsonschema cryptography 'cyclonedx-python-lib[json-validation]' jsonschema pre-commit 'pydantic[email]' pydantic-settings python-dotenv pyyaml)
  say "installing ${packages[*]} into $tools/venv"
  python3 -m venv --clear "$tools/venv"
  twice "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}"
}

# The official JSON-Schema-Test-Suite comes inside of the source package of Python's jsonschema. Pinned: the test counts on
# its cases.
schema_suite() {
  local folder=$tools/json-schema-test-suite package=jsonschema-4.26.0
  if [ -d "$folder/draft2020-12" ]; then return; fi
  say "fetching the JSON-Schema-Test-Suite into $folder"
  mkdir -p "$folder"
  twice "$tools/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --dest "$folder" "${package/-/==}"
  tar -xzf "$folder/$package.tar.gz" -C "$folder" --strip-components=3 "$package/json/tests"
  rm "$folder/$package.tar.gz"
}

npm_tools() {
  local packages=(dotenv yaml zod typebox valibot @valibot/to-json-schema husky lefthook) missing=() package
  for package in "${packages[@]}"; do
    if [ ! -f "$tools/node_modules/$package/package.json" ]; then missing+=("$package"); fi
  done
  if [ "${#missing[@]}" = 0 ]; then return; fi
  need npm npm --version
  say "installing npm's ${packages[*]} into $tools/node_modules"
  # No scripts: lefthook's would install hooks into this very repository.
  twice npm install --ignore-scripts --prefix "$tools" --no-save --no-package-lock --no-audit --no-fund --loglevel=error "${packages[@]/%/@latest}" >/dev/null
}

mkdir -p "$tools"
need git git --version
need strace strace -V
need zsh zsh --version
need fish fish --version
need groff-base groff --version
need mandoc sh -c 'mandoc </dev/null'
need hyperfine hyperfine --version
need time /usr/bin/time --version
need faketime faketime --version
need procps pgrep --version
need ed ed --version
need vim vim --version
need nano nano --version
need systemd systemd-analyze --version
need postgresql sh -c 'ls /usr/lib/postgresql/*/bin/initdb && psql --version'
python_tools
schema_suite
npm_tools

if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --locked "$@"
else
  cargo test --locked --tests "$@"
fi
cargo test --locked --doc
