#!/usr/bin/env python3
"""Writes the CycloneDX list of the crates in the Linux binary: release/sbom.py FILE

cargo-cyclonedx makes it, and is installed into target/tools when it is not there (`--install` does only that). It goes
by `cargo metadata`, which knows some crates too many, and names local packages by their place on this machine: both is
put right here, so that the file is the same wherever it is made. tests/check_sbom.py holds the result against Cargo.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = "x86_64-unknown-linux-gnu"
VERSION = "0.5.9"
TOOLS = ROOT / "target/tools"


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def installed():
    """The path on which cargo finds the version of cargo-cyclonedx that is pinned above."""
    path = f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}"
    found = subprocess.run(
        ["cargo", "cyclonedx", "--version"], env={**os.environ, "PATH": path}, capture_output=True, text=True
    )
    if found.stdout.split()[-1:] != [VERSION]:
        print(f"release/sbom.py: installing cargo-cyclonedx {VERSION} into {TOOLS}", file=sys.stderr)
        plain = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
        package = f"cargo-cyclonedx@{VERSION}"
        run("cargo", "install", package, "--locked", "--quiet", "--root", TOOLS, env=plain)
    return path


def generated(path):
    """What cargo-cyclonedx says of the package envsec. It writes a file beside each Cargo.toml of the workspace."""
    name = "sbom.tmp"
    try:
        run(
            *("cargo", "cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"),
            *("--target", TARGET, "--override-filename", name),
            env={"SOURCE_DATE_EPOCH": run("git", "log", "-1", "--format=%ct").strip(), **os.environ, "PATH": path},
        )
        return json.loads((ROOT / f"{name}.json").read_text("utf-8"))
    finally:
        for folder in (ROOT, ROOT / "lib"):
            (folder / f"{name}.json").unlink(missing_ok=True)


def tree(*edges):
    """NAME@VERSION of every crate that `cargo tree` reaches from the binary over these edges."""
    command = ["cargo", "tree", "--locked", "--package", "envsec", "--target", TARGET, "--prefix", "none"]
    lines = run(*command, "--edges", ",".join(("normal", *edges)), "--format", "{p}").splitlines()
    # "NAME vVERSION", and behind it a place or a kind
    return {"@".join(line.split()[:2]).replace("@v", "@") for line in lines if line}


def tidied(sbom):
    in_tree, linked = tree(), tree("no-proc-macro")
    components = [c for c in sbom["components"] if f"{c['name']}@{c['version']}" in in_tree]
    root = sbom["metadata"]["component"]
    references = {c["bom-ref"]: f"{c['name']}@{c['version']}" for c in [root, *components]}
    for component in [root, *components]:
        component["bom-ref"] = references[component["bom-ref"]]
    for number, part in enumerate(root["components"]):
        part["bom-ref"] = f"{root['bom-ref']}#{number}"
    for component in components:
        # In CycloneDX's words, what runs only while the binary is made.
        component["scope"] = "required" if component["bom-ref"] in linked else "excluded"
    sbom["components"] = sorted(components, key=lambda component: component["bom-ref"])
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in sbom["dependencies"]}
    sbom["dependencies"] = [
        {"ref": new, "dependsOn": sorted(references[ref] for ref in edges[old] if ref in references)}
        for old, new in sorted(references.items(), key=lambda pair: pair[1])
    ]
    return sbom


def main():
    path = installed()
    if sys.argv[1:] == ["--install"]:
        return
    if len(sys.argv) != 2:
        sys.exit("usage: release/sbom.py FILE")
    text = json.dumps(tidied(generated(path)), indent=2, ensure_ascii=False) + "\n"
    Path(sys.argv[1]).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
