"""Holds the dependencies against deny.toml and docs/dependencies.md: what can be checked without cargo-deny.

Licences, sources and named duplicates are those of deny.toml, so that there is one list.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINUX = "x86_64-unknown-linux-gnu"
MAX_CRATES = 75


def permits(expression, allowed):
    """Whether the SPDX licence expression can be met with allowed licences alone.

    >>> permits("MIT OR GPL-3.0-only", {"MIT"}), permits("MIT AND GPL-3.0-only", {"MIT"})
    (True, False)
    >>> permits("GPL-2.0-only/MIT", {"MIT"})  # the old spelling of OR
    True
    >>> permits("(MIT OR Apache-2.0) AND Unicode-3.0", {"MIT"})
    False
    >>> permits("MIT OR Zlib AND Unicode-3.0", {"MIT"})  # AND binds tighter
    True
    >>> permits("Apache-2.0 WITH LLVM-exception", {"Apache-2.0"})  # a licence of its own
    False
    >>> permits("Apache-2.0 WITH LLVM-exception", {"Apache-2.0 WITH LLVM-exception"})
    True
    >>> permits("MIT OR (", {"MIT"})
    Traceback (most recent call last):
    ValueError: not an SPDX expression: MIT OR (
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def accept(token):
        return bool(tokens) and tokens[0] == token and bool(tokens.pop(0))

    def either():
        met = both()
        while accept("OR"):
            met = both() or met
        return met

    def both():
        met = one()
        while accept("AND"):
            met = one() and met
        return met

    def one():
        if accept("("):
            met = either()
            if accept(")"):
                return met
        elif tokens and tokens[0] not in {")", "AND", "OR", "WITH"}:
            name = tokens.pop(0)
            if accept("WITH"):
                name = f"{name} WITH {tokens.pop(0) if tokens else ''}"
            return name in allowed
        raise ValueError(f"not an SPDX expression: {expression}")

    met = either()
    if tokens:
        raise ValueError(f"not an SPDX expression: {expression}")
    return met


def metadata(*arguments):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)


def foreign_packages(graph):
    members = set(graph["workspace_members"])
    return [package for package in graph["packages"] if package["id"] not in members]


def shipped_packages(graph):
    """The packages that the binary is built from: all but what only tests need."""
    nodes = {node["id"]: node for node in graph["resolve"]["nodes"]}
    members = set(graph["workspace_members"])
    seen, waiting = set(), list(members)
    while waiting:
        for dependency in nodes[waiting.pop()]["deps"]:
            tests_only = all(kind["kind"] == "dev" for kind in dependency["dep_kinds"])
            if not tests_only and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                waiting.append(dependency["pkg"])
    return [package for package in graph["packages"] if package["id"] in seen - members]


def title(package):
    return f"{package['name']}@{package['version']}"


def licence_problems(packages, allowed):
    for package in packages:
        expression = package["license"]
        if not expression:
            yield f"{title(package)}: states no licence expression"
        elif not permits(expression, allowed):
            yield f"{title(package)}: licence {expression} is not allowed by deny.toml"


def source_problems(packages, registries):
    for package in packages:
        if package["source"] not in {f"registry+{registry}" for registry in registries}:
            yield f"{title(package)}: source {package['source'] or 'a local path'} is not allowed by deny.toml"


def duplicate_problems(packages, skipped):
    versions = defaultdict(list)
    for package in packages:
        if title(package) not in skipped:
            versions[package["name"]].append(package["version"])
    for name, several in versions.items():
        if len(several) > 1:
            yield f"{name}: in {len(several)} versions ({', '.join(several)}), not named in deny.toml's skip"


def reason_problems(graph):
    """Every direct dependency has its line in docs/dependencies.md, and every line its dependency."""
    explained = set(re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/dependencies.md").read_text("utf-8"), re.MULTILINE))
    members = set(graph["workspace_members"])
    direct = {
        dependency["name"]
        for package in graph["packages"]
        if package["id"] in members
        for dependency in package["dependencies"]
        if dependency["source"]  # not a package of our own
    }
    for name in sorted(direct - explained):
        yield f"{name}: has no line in docs/dependencies.md"
    for name in sorted(explained - direct):
        yield f"{name}: has a line in docs/dependencies.md but is no direct dependency"


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text("utf-8"))
    skipped = {entry["crate"] for entry in rules["bans"]["skip"]}
    everywhere, linux = metadata(), metadata("--filter-platform", LINUX)
    packages, shipped = foreign_packages(everywhere), shipped_packages(linux)

    problems = [
        *licence_problems(packages, set(rules["licenses"]["allow"])),
        *source_problems(packages, rules["sources"]["allow-registry"]),
        *duplicate_problems(shipped_packages(everywhere), skipped),
        *reason_problems(everywhere),
    ]
    if len(shipped) > MAX_CRATES:
        problems.append(f"{len(shipped)} crates make the Linux binary, at most {MAX_CRATES} may")

    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(packages)} crates in all, {len(shipped)} of at most {MAX_CRATES} in the Linux binary")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
