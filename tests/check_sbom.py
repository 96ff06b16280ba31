"""Holds an SBOM of the Linux binary against Cargo: tests/check_sbom.py FILE

Its components have to be the crates of `cargo tree`, with the licences of `cargo metadata` and the checksums of
Cargo.lock; nothing in it may depend on where and when it was made. With cyclonedx-python-lib at hand, as tests/run.sh
installs it, it is also validated against the schema of CycloneDX.
"""

import json
import sys
import tomllib
from pathlib import Path

from check_dependencies import ROOT, metadata, title, tree


def facts(component):
    """What is compared: scope, licence and SHA-256.

    >>> facts({"scope": "required", "licenses": [{"expression": "MIT"}], "hashes": [{"alg": "SHA-256", "content": "a"}]})
    ('required', 'MIT', 'a')
    >>> facts({"scope": "excluded", "licenses": [{"license": {"name": "MIT/Apache-2.0"}}]})
    ('excluded', 'MIT/Apache-2.0', None)
    """
    licences = [
        choice.get("expression") or choice["license"].get("id") or choice["license"]["name"]
        for choice in component["licenses"]
    ]
    checksums = [entry["content"] for entry in component.get("hashes", []) if entry["alg"] == "SHA-256"]
    return component["scope"], " AND ".join(licences), checksums[0] if checksums else None


def expected():
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))
    checksums = {title(package): package.get("checksum") for package in lock["package"]}
    licences = {title(package): package["license"] for package in metadata()["packages"]}
    linked = tree("normal,no-proc-macro")
    return {
        crate: ("required" if crate in linked else "excluded", licences[crate], checksums[crate])
        for crate in tree("normal")
    }


def differences(found, wanted):
    """
    >>> list(differences({"a@1": "x", "b@1": "x"}, {"b@1": "y", "c@1": "x"}))
    ['a@1: not in the binary', 'b@1: x instead of y', 'c@1: missing']
    """
    for crate in sorted(found | wanted):
        if crate not in wanted:
            yield f"{crate}: not in the binary"
        elif crate not in found:
            yield f"{crate}: missing"
        elif found[crate] != wanted[crate]:
            yield f"{crate}: {found[crate]} instead of {wanted[crate]}"


def graph_problems(sbom):
    """Every reference of the graph leads to a component, and every component can be reached from the binary."""
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in sbom["dependencies"]}
    seen, waiting = set(), [sbom["metadata"]["component"]["bom-ref"]]
    while waiting:
        reference = waiting.pop()
        if reference in seen:
            continue
        seen.add(reference)
        if reference not in edges:
            yield f"{reference}: in the graph, but has no entry there"
        waiting.extend(edges.get(reference, []))
    for component in sbom["components"]:
        if component["bom-ref"] not in seen:
            yield f"{component['bom-ref']}: nothing leads to it"


def schema_problems(text):
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        print("cyclonedx-python-lib is not installed: not validated against the schema")
        return
    problem = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    if problem is not None:
        yield f"not CycloneDX 1.5: {problem}"


def main():
    text = Path(sys.argv[1]).read_text("utf-8")
    sbom = json.loads(text)
    found = {title(component): facts(component) for component in sbom["components"]}
    problems = [*differences(found, expected()), *graph_problems(sbom), *schema_problems(text)]
    if len(found) != len(sbom["components"]):
        problems.append("a crate is listed twice")
    if title(sbom["metadata"]["component"]) != title(next(p for p in metadata()["packages"] if p["name"] == "envsec")):
        problems.append("it is not that of this version of envsec")
    for local in ("serialNumber", "file:///", str(ROOT), str(Path.home()) + "/"):
        if local in text:
            problems.append(f"{local}: would differ elsewhere")
    for problem in problems:
        print(problem, file=sys.stderr)
    linked = sum(scope == "required" for scope, *_ in found.values())
    print(f"{len(found)} components, {linked} of them linked into the binary")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
