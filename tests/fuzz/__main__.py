"""`python -m tests.fuzz --minutes 10 --format bam`: mutants of a format, or of each in turn.

Exits 1 when something was found. The mutant of each finding is kept in `.porewatch/fuzz/`, and its
number makes it again.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.formats import FORMATS
from tests.fuzz.hunt import hunt

KEPT = Path(".porewatch") / "fuzz"


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("--minutes", type=float, default=1.0, help="for each format")
    asked.add_argument("--format", choices=FORMATS, action="append", help="default: all")
    asked.add_argument("--begin", type=int, default=int(time.time()), help="first mutant's number")
    told = asked.parse_args()
    found = 0
    for name in told.format or FORMATS:
        result = hunt(name, begin=told.begin, seconds=60 * told.minutes)
        print(result.sentence(), flush=True)
        for what, number in result.found.items():
            KEPT.mkdir(parents=True, exist_ok=True)
            path = KEPT / f"{number}-{FORMATS[name].name}"
            path.write_bytes(FORMATS[name].mutant(number))
            print(f"  {path}: {what}", flush=True)
        found += len(result.found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
