"""`make bench`: our speed as ratios to the tools people would use instead, measured in one run.

Needs seqkit, minimap2 and samtools (Debian packages of those names). Real reads from the shared
data folder are used when it is there, the demo's synthetic ones otherwise; the title names them.
Rows without a peer are times of our own: what we add to each phase, how long a lost machine costs,
how long the simulated world takes for a run.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import cold_start, ingest, overhead, recovery, schedules, screening, validation
from bench.pairs import Pair

PEERS = {"seqkit": "seqkit", "minimap2": "minimap2", "samtools": "samtools"}


def main() -> int:
    arguments = _arguments()
    needed = PEERS if arguments.only in (None, "validation", "screening") else {}
    missing = [package for tool, package in needed.items() if shutil.which(tool) is None]
    if missing:
        sys.stderr.write(f"bench: install the peers first: apt-get install {' '.join(missing)}\n")
        return 1
    results: list[Pair] = []
    with tempfile.TemporaryDirectory(prefix="porewatch-bench-") as folder:
        for name, measure in (
            ("validation", validation.measure),
            ("screening", screening.measure),
            ("cold start", cold_start.measure),
            ("ingest", ingest.measure),
            ("overhead", overhead.measure),
            ("recovery", recovery.measure),
            ("schedules", schedules.measure),
        ):
            if arguments.only and arguments.only != name.split()[0]:
                continue
            sys.stderr.write(f"bench: {name} ...\n")
            results += measure(Path(folder), arguments.pairs)
    if arguments.json:
        sys.stdout.write(json.dumps([dataclasses.asdict(r) for r in results], indent=2) + "\n")
    else:
        _show(results)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--pairs", type=int, default=5, help="how many pairs a comparison takes")
    parts = ["validation", "screening", "cold", "ingest", "overhead", "recovery", "schedules"]
    parser.add_argument("--only", choices=parts)
    return parser.parse_args()


def _show(results: list[Pair]) -> None:
    shown = Table(title="ratio = theirs / ours, pair by pair: above 1 we are faster", box=None)
    for column in ("what", "ours", "theirs", "ratio", "range", "peer", "note"):
        shown.add_column(column, justify="left" if column in ("what", "peer", "note") else "right")
    for r in results:
        shown.add_row(
            r.what,
            f"{r.ours:.3g} s" if r.ours else "",
            f"{r.theirs:.3g} s" if r.theirs else "",
            f"{r.ratio:.2f}" if r.theirs else "",
            f"{r.lowest:.2f} to {r.highest:.2f}" if r.theirs else "",
            r.peer,
            r.note,
        )
    Console(width=150).print(shown)


if __name__ == "__main__":
    raise SystemExit(main())
