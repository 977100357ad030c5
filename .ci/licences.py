"""Checks every crate in the tree against deny.toml: its licence is allowed, and it comes from the registry."""

import re
import subprocess
import sys
import tomllib


def allowed(expression, licences):
    """Whether an SPDX expression can be met with what is allowed. The old `A/B` is `A OR B`."""
    tokens = re.findall(r"\(|\)|[\w.+-]+(?: WITH [\w.-]+)?", expression.replace("/", " OR "))
    words = {"(": "(", ")": ")", "OR": "or", "AND": "and"}
    # Only brackets, `or`, `and`, True and False are left.
    return eval(" ".join(words.get(token, str(token in licences)) for token in tokens))


def main():
    with open("deny.toml", "rb") as file:
        licences = set(tomllib.load(file)["licenses"]["allow"])
    with open("Cargo.lock", "rb") as file:
        locked = tomllib.load(file)["package"]
    tree = ["cargo", "tree", "--locked", "--edges", "all", "--target", "all", "--prefix", "none", "--format", "{p}|{l}"]
    lines = subprocess.run(tree, check=True, capture_output=True, text=True).stdout.splitlines()
    crates = dict(line.removesuffix(" (*)").rsplit("|", 1) for line in lines if "|" in line)
    faults = [f"{crate}: {licence or 'no licence'}" for crate, licence in sorted(crates.items())
              if not licence or not allowed(licence, licences)]
    strangers = [f"{package['name']}: from {package['source']}" for package in locked
                 if not package.get("source", "registry+").startswith("registry+")]
    used = {licence for licence in licences if any(licence in said for said in crates.values())}
    faults += strangers + [f"{licence}: allowed in deny.toml, and no crate has it" for licence in licences - used]
    print(f"{len(crates)} crates, {len(faults)} not as deny.toml allows", *faults, sep="\n  ")
    return 1 if faults else 0


sys.exit(main())
