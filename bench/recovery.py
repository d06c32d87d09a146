"""How long a run that lost its worker waits until a replacement does useful work.

Two workers get SIGKILL and two a notice (`python -m porewatch_local.kills` plays sixty), at drawn
moments; medians. What a notice waits for is the worker's look at its metadata and the unit at hand;
what a SIGKILL waits for is half a minute without a heartbeat and the sweep of the minute.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from bench.pairs import Pair
from porewatch_local.embedded.session import session
from porewatch_local.fault_trials.report import Proof
from porewatch_local.fault_trials.trial import Strike
from porewatch_local.kills import WATCH_S, ground_of, prove, strikes_of

STRIKES = 2


def measure(folder: Path, pairs: int) -> list[Pair]:
    with session(environment={"POREWATCH_WATCH_SECONDS": WATCH_S}) as home:
        proof = prove(ground_of(home), strikes_of(STRIKES, STRIKES), together=2)
    faults = list(proof.faults())
    if faults:
        raise RuntimeError("; ".join(faults))
    return [_row(proof, "notice"), _row(proof, "kill")]


def _row(proof: Proof, strike: Strike) -> Pair:
    some = proof.of(strike)
    times = [o.first_unit_s for o in some if o.first_unit_s is not None]
    launch = [o.relaunched_s for o in some if o.relaunched_s is not None]
    what = "from a notice" if strike == "notice" else "from SIGKILL"
    lost = max(o.lost_share for o in some)
    note = f"launch after {statistics.median(launch):.1f} s; at most {lost:.1%} of the work lost"
    return Pair(f"{what} to useful work", statistics.median(times), 0, 0, 0, 0, "", note)
