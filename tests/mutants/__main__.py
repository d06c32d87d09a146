"""`python -m tests.mutants [TARGET ...]`: mutates each target, prints what survived, and exits 1
for a survivor that `accepted.toml` does not have."""

from __future__ import annotations

import argparse
import sys
import time

from porewatch_local.stack_template.gate import tools
from tests.mutants.run import REPOSITORY, accepted, mutated, targets, unexpected


def main() -> int:
    there = targets()
    asked = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    asked.add_argument("target", nargs="*", choices=[*there, []], help="default: all")
    asked.add_argument("--children", type=int, default=2, help="mutants tested at once")
    told = asked.parse_args()
    new = 0
    for name in told.target or there:
        print(f"{name} ...", flush=True)
        began = time.monotonic()
        work = tools(REPOSITORY).absolute() / "mutants" / "work" / name
        tried, found = mutated(there[name], work, told.children)
        wrong = unexpected(found, accepted())
        for one in wrong:
            print(f"{one.how}: {one.place}\n{one.change}\n", flush=True)
        said = f"{tried} mutants, {len(found)} survived, {len(wrong)} of them new"
        print(f"{name}: {said}, {time.monotonic() - began:.0f} s", flush=True)
        new += len(wrong)
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
