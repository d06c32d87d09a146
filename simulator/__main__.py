"""`python -m simulator --schedules 10000`: plays that many seeds and reports what broke.

`--seed N` plays one and prints its whole trace; `--crashes` kills every handler at every call;
`--outages` takes services away, one and two at a time.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from simulator import outages
from simulator.crashes import crashes, every_call
from simulator.schedules import Outcome, played

SHOWN = 5


def _short(seed: int) -> Outcome:
    """Traces of sound schedules are of no use to anybody."""
    outcome = played(seed)
    if outcome.broken:
        return outcome
    return Outcome(seed, outcome.state, (), (), (), outcome.machines)


def many(first: int, count: int, processes: int) -> int:
    """Play the seeds; how many broke a rule."""
    began, states, machines = time.monotonic(), Counter[str](), 0
    failed: list[Outcome] = []
    with ProcessPoolExecutor(processes) as pool:
        for outcome in pool.map(_short, range(first, first + count), chunksize=20):
            states[outcome.state] += 1
            machines += outcome.machines
            if states.total() % 1000 == 0:
                print(f"{states.total()} in {time.monotonic() - began:.0f} s", flush=True)
            if outcome.broken:
                failed.append(outcome)
                print(f"seed {outcome.seed}: {outcome.broken[0][:300]}", flush=True)
    took = time.monotonic() - began
    for outcome in failed[:SHOWN]:
        print(f"\n{outcome.describe()}")
    ended = ", ".join(f"{n} {state}" for state, n in states.most_common())
    print(f"{count} schedules ({ended}), {machines} machines, {count / took:.1f} schedules/s")
    print(f"{len(failed)} broke a rule" + (f": {[o.seed for o in failed]}" if failed else ""))
    return len(failed)


def every_crash(processes: int) -> int:
    """Kill at every call of every handler and of the worker, one at a time."""
    began = time.monotonic()
    planned = every_call()
    failed = 0
    with ProcessPoolExecutor(processes) as pool:
        for struck, outcome in pool.map(crashes, planned, chunksize=8):
            if outcome.broken or outcome.state != "completed":
                failed += 1
                print(f"{struck}: {outcome.state} {outcome.broken[:2]}", flush=True)
    took = time.monotonic() - began
    print(f"{len(planned)} crashes, {len(planned) / took:.1f} schedules/s, {failed} broke a rule")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one and print its trace")
    parser.add_argument("--crashes", action="store_true")
    parser.add_argument("--outages", action="store_true", help="the table of docs/simulator.md")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if given.seed is not None:
        outcome = played(given.seed)
        print(outcome.describe(10_000))
        print(outcome.state)
        return bool(outcome.broken)
    if given.outages:
        return bool(outages.table(given.processes))
    if given.crashes:
        return bool(every_crash(given.processes))
    return bool(many(given.first, given.schedules, given.processes))


if __name__ == "__main__":
    sys.exit(main())
