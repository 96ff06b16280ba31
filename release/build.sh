#!/usr/bin/env bash
# Makes the release of the commit that is checked out: target/dist/envsec-VERSION-x86_64-linux.tar.gz and SHA256SUMS.
# The bytes depend on the commit, on release/rustc-version and on the C library and its compiler, which BUILDINFO in
# the archive names; not on where, when, by whom or under which settings it is built: release/reproduce.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
target=x86_64-unknown-linux-gnu
out=${CARGO_TARGET_DIR:-$root/target}
mkdir -p "$out"
out=$(cd "$out" && pwd -P)

fail() { printf 'release/build.sh: %s\n' "$*" >&2; exit 1; }

# What the surroundings could change in what is built.
umask 022
export LC_ALL=C TZ=UTC CARGO_INCREMENTAL=0
for name in $(compgen -e); do
  case $name in
    RUSTC | RUSTFLAGS | RUSTC_* | CARGO_ENCODED_RUSTFLAGS | CARGO_PROFILE_* | CARGO_TARGET_X86_64_*) unset "$name" ;;
  esac
done

rustc=$(cat release/rustc-version)
[ "$(rustc --version)" = "$rustc" ] ||
  fail "releases are built with $rustc, and this is $(rustc --version); with rustup:
  rustup toolchain install $(cut -d' ' -f2 release/rustc-version)
  RUSTUP_TOOLCHAIN=$(cut -d' ' -f2 release/rustc-version) release/build.sh"
[ -z "$(git status --porcelain)" ] || fail "there are uncommitted changes, and a release is made from a commit"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

# Where files are, as messages of panics name them: the same on every machine.
metadata=$(cargo metadata --locked --format-version 1 --filter-platform $target)
crates=$(python3 -c 'import json, pathlib, sys
packages = {package["name"]: package for package in json.load(sys.stdin)["packages"]}
print(pathlib.Path(packages["zeroize"]["manifest_path"]).parent.parent)' <<<"$metadata")
hash=$(rustc -vV | sed -n 's/^commit-hash: //p')
sysroot=$(rustc --print sysroot)
read -ra flags <release/rustflags
flags+=(
  "--remap-path-prefix=$root=/envsec"
  "--remap-path-prefix=$out=/target"
  "--remap-path-prefix=$crates=/crates"
  "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$hash"
)
CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f'; printf %s "${flags[*]}") \
  cargo build --release --locked --target $target --target-dir "$out" -p envsec
binary=$out/$target/release/envsec

if readelf --program-headers "$binary" | grep -q INTERP; then fail "$binary is not static"; fi
for path in "$root" "$out" "$crates" "$sysroot" "${CARGO_HOME:-$HOME/.cargo}" "${HOME%/}/"; do
  if [ "$path" = / ]; then continue; fi
  if strings -a "$binary" | grep -F -- "$path" >&2; then fail "$binary names a path of this machine: $path"; fi
done

name=envsec-$version-x86_64-linux
dist=$out/dist
folder=$dist/$name
rm -rf "$dist"
install -d -m 755 "$folder/completions"
install -m 755 "$binary" "$folder/"
install -m 644 README.md CHANGELOG.md SECURITY.md LICENSE-APACHE LICENSE-MIT "$folder/"
git ls-files docs | while read -r file; do install -D -m 644 "$file" "$folder/$file"; done
"$binary" completions bash >"$folder/completions/envsec.bash"
"$binary" completions zsh >"$folder/completions/_envsec"
"$binary" completions fish >"$folder/completions/envsec.fish"
python3 release/sbom.py "$folder/envsec.cdx.json"
python3 tests/check_sbom.py "$folder/envsec.cdx.json"
python3 release/notices.py >"$folder/THIRD-PARTY-LICENSES"
cat >"$folder/BUILDINFO" <<END
version: $version
commit: $(git rev-parse HEAD)
target: $target
rustc: $(rustc --version)
cargo: $(cargo --version)
flags: $(cat release/rustflags)
cc: $(cc --version | head -1)
libc: $(ldd --version | head -1)
END
(cd "$folder" && find . -type f ! -name SHA256SUMS -printf '%P\0' | sort -z | xargs -0 sha256sum >SHA256SUMS)

tar --create --directory "$dist" --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rwX,go+rX,go-w \
  --owner=0 --group=0 --numeric-owner "$name" | gzip -n -9 >"$dist/$name.tar.gz"
(cd "$dist" && sha256sum "$name.tar.gz" | tee SHA256SUMS)
