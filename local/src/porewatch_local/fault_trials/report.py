"""What many strikes prove, and the table of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence

from pydantic import BaseModel
from rich.table import Table

from porewatch_local.fault_trials.trial import (
    Outcome,
    Strike,
)

MOST_WASTED = 0.05
"""Of a phase that has units to checkpoint."""
MOST_SECONDS = 10.0
"""Of one that has none (making the report): it takes seconds, and restarts as a whole."""
MOST_REDONE = 1


class Proof(BaseModel):
    """All strikes that landed, how many missed, and how long an undisturbed run takes."""

    outcomes: tuple[Outcome, ...]
    missed: int
    units: int

    def of(self, strike: Strike) -> list[Outcome]:
        return [o for o in self.outcomes if o.strike == strike]

    def faults(self) -> Iterator[str]:
        """What does not hold, one sentence each."""
        for o in self.outcomes:
            where = f"{o.run_id} ({o.strike} at {o.moment})"
            if o.state.value != "completed":
                yield f"{where}: {o.state.value}: {o.problem}"
            elif not o.same_findings:
                yield f"{where}: other findings than undisturbed"
            elif o.redone > MOST_REDONE:
                yield f"{where}: {o.redone} units computed twice"
            elif o.strike == "notice" and too_much_lost(o):
                yield f"{where}: {o.lost_share:.1%} of the work lost, {o.redone} units again"


def too_much_lost(outcome: Outcome) -> bool:
    if not outcome.units:
        return outcome.lost_s > MOST_SECONDS
    return max(outcome.lost_share, share_redone(outcome)) > MOST_WASTED


def share_redone(outcome: Outcome) -> float:
    """Units computed twice over all units of the phase."""
    return outcome.redone / outcome.units if outcome.units else 0.0


NAMES: dict[Strike, str] = {"kill": "SIGKILL", "notice": "notice", "freeze": "silence"}
Row = Callable[[list[Outcome]], str]


def table(proof: Proof) -> Table:
    """What was survived, and in which time; median and range."""
    kinds = [kind for kind in NAMES if proof.of(kind)]
    shown = Table(title="real kills on the embedded AWS", box=None, title_justify="left")
    for column in ("", *(NAMES[kind] for kind in kinds)):
        shown.add_column(column, justify="left" if not column else "right")
    for name, row in ROWS.items():
        shown.add_row(name, *(row(proof.of(kind)) for kind in kinds))
    return shown


def _most(numbers: Iterable[int]) -> str:
    return str(max(numbers, default=0))


def _spread(numbers: Sequence[float | None]) -> str:
    there = [number for number in numbers if number is not None]
    if not there:
        return "-"
    return f"{statistics.median(there):.1f} ({min(there):.1f} to {max(there):.1f})"


ROWS: dict[str, Row] = {
    "strikes": lambda some: str(len(some)),
    "runs that completed": lambda some: str(sum(o.state.value == "completed" for o in some)),
    "findings as undisturbed": lambda some: str(sum(o.same_findings for o in some)),
    "units computed twice, at most": lambda some: _most(o.redone for o in some),
    "units computed twice, in all": lambda some: str(sum(o.redone for o in some)),
    "seconds of work lost": lambda some: _spread([o.lost_s for o in some]),
    "share of the phase's work lost, % (phases with units)": lambda some: _spread(
        [100 * o.lost_share for o in some if o.units]
    ),
    "s to the replacement's launch": lambda some: _spread([o.relaunched_s for o in some]),
    "s to its claim": lambda some: _spread([o.claimed_s for o in some]),
    "s to its first useful unit": lambda some: _spread([o.first_unit_s for o in some]),
}
