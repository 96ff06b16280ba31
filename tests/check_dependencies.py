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


def tree(edges):
    """NAME@VERSION of each crate that `cargo tree` reaches from the Linux binary over these edges, without itself."""
    command = ["cargo", "tree", "--locked", "-p", "envsec", "--target", LINUX, "-e", edges, "--prefix", "none"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    titles = {"@".join(line.split()[:2]).replace("@v", "@") for line in lines if line}
    return {title for title in titles if not title.startswith("envsec@")}


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


def section(heading):
    """The text under a heading of docs/dependencies.md."""
    text = (ROOT / "docs/dependencies.md").read_text("utf-8")
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def rows(heading):
    """The first two cells of the rows of a section's table."""
    return re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section(heading), re.MULTILINE)


def reason_problems(*graphs):
    """Every direct dependency has its line in docs/dependencies.md, and every line its dependency."""
    explained = {name for heading in ("In the binary", "In the tests only", "In the fuzz targets only") for name, _ in rows(heading)}
    direct = {
        dependency["name"]
        for graph in graphs
        for package in graph["packages"]
        if package["id"] in graph["workspace_members"]
        for dependency in package["dependencies"]
        if dependency["source"]  # not a package of our own
    }
    for name in sorted(direct - explained):
        yield f"{name}: has no line in docs/dependencies.md"
    for name in sorted(explained - direct):
        yield f"{name}: has a line in docs/dependencies.md but is no direct dependency"


def kinds(package):
    return {kind for target in package["targets"] for kind in target["kind"]}


def build_time_problems(packages):
    """What runs on the machine that builds is what docs/dependencies.md says."""
    named = {"custom-build": "build script", "proc-macro": "macro"}
    runs = {(package["name"], named[kind]) for package in packages for kind in kinds(package) & named.keys()}
    listed = set(rows("What runs while it is built"))
    for name, what in sorted(runs - listed):
        yield f"{name}: its {what} has no line in docs/dependencies.md"
    for name, what in sorted(listed - runs):
        yield f"{name}: docs/dependencies.md lists its {what}, and it has none"
    for package in packages:
        if package["links"]:
            yield f"{title(package)}: links the C library {package['links']}"


def sources(package):
    folder = Path(package["manifest_path"]).parent / "src"
    return {path: path.read_text("utf-8") for path in sorted(folder.rglob("*.rs"))}


def names_sockets(source):
    """Whether code, not a comment, names one of the standard library's sockets.

    >>> names_sockets("let s = TcpStream::connect(at)?; // talks"), names_sockets("/// Reads a [`TcpStream`]")
    (True, False)
    """
    sockets = r"^(.*?)\b(?:TcpStream|TcpListener|UdpSocket|UnixStream|UnixListener|UnixDatagram)\b"
    return any("//" not in line[1] for line in re.finditer(sockets, source, re.M))


def forbids_unsafe(source):
    """
    >>> forbids_unsafe("#![no_std]\\n#![forbid(unsafe_code)]"), forbids_unsafe("// #![forbid(unsafe_code)]")
    (True, False)
    """
    return re.search(r"^#!\[[^\]]*forbid\([^)]*unsafe_code", source, re.M) is not None


def source_text_problems(packages, graph):
    """What docs/dependencies.md says of the sources: no network, and how many have no unsafe code."""
    forbidding = 0
    for package in packages:
        files = sources(package)
        for path, text in files.items():
            if names_sockets(text):
                yield f"{title(package)}: {path} names a socket"
        forbidding += any(forbids_unsafe(text) for path, text in files.items() if path.name == "lib.rs")
    for node in graph["resolve"]["nodes"]:
        if "#rustix@" in node["id"] and "net" in node["features"]:
            yield "rustix: its feature net is on"
    counts = {"crates make the Linux binary": len(packages), "of them forbid `unsafe` code": forbidding}
    for words, count in counts.items():
        if f"{count} {words}" not in " ".join(section("The whole tree").split()):
            yield f'docs/dependencies.md, The whole tree: "{count} {words}" is not what it says'


def main():
    rules = tomllib.loads((ROOT / "deny.toml").read_text("utf-8"))
    skipped = {entry["crate"] for entry in rules["bans"]["skip"]}
    everywhere, linux = metadata(), metadata("--filter-platform", LINUX)
    fuzz = metadata("--manifest-path", "fuzz/Cargo.toml")  # a workspace of its own; nothing of it ships
    packages, in_tree = foreign_packages(everywhere), tree("normal,build")
    shipped = [package for package in foreign_packages(linux) if title(package) in in_tree]

    problems = [
        *licence_problems(packages, set(rules["licenses"]["allow"])),
        *source_problems(packages, rules["sources"]["allow-registry"]),
        *duplicate_problems(shipped_packages(everywhere), skipped),
        *reason_problems(everywhere, fuzz),
        *build_time_problems(shipped),
        *source_text_problems(shipped, linux),
    ]
    if len(shipped) > MAX_CRATES:
        problems.append(f"{len(shipped)} crates make the Linux binary, at most {MAX_CRATES} may")

    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(packages)} crates in all, {len(shipped)} of at most {MAX_CRATES} in the Linux binary")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
