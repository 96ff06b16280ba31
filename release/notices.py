#!/usr/bin/env python3
"""Prints the licence texts of the crates that are linked into the Linux binary, as their licences ask of a copy."""

import json
from pathlib import Path

from sbom import TARGET, run, tree

HEAD = """\
What is linked into this binary beside envsec, with the licences that its authors chose. Where one says OR, envsec
takes any of them that deny.toml allows. Two more are linked that are no crates: the Rust standard library (MIT OR
Apache-2.0), and the GNU C library (LGPL-2.1-or-later), whose sources are those of the distribution in BUILDINFO; to
link another, build anew: docs/install.md.
"""


def texts(folder):
    names = ("license", "licence", "copying", "copyright", "notice", "unlicense")
    files = [path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(names)]
    return [path.read_text("utf-8").strip() for path in sorted(files)]


def main():
    metadata = run("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET)
    packages = {f"{p['name']}@{p['version']}": p for p in json.loads(metadata)["packages"] if p["source"]}
    crates = {}  # by their texts: many have the same
    for title in sorted(tree("no-proc-macro") & packages.keys()):
        package = packages[title]
        for text in texts(Path(package["manifest_path"]).parent) or ["(no text in the package)"]:
            crates.setdefault(text, []).append(f"{title}  {package['license']}")
    print(HEAD)
    for text, names in crates.items():
        print("=" * 100, *names, "", text, "", sep="\n")


if __name__ == "__main__":
    main()
