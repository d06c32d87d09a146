"""What many strikes prove, and the table that says so."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel
from rich.table import Table

from porewatch_local.kill_trial import Outcome, Strike

MOST_WASTED = 0.05
MOST_REDONE = 1


class Proof(BaseModel):
    """All strikes that landed, how many missed, and how long an undisturbed run takes."""

    outcomes: tuple[Outcome, ...]
    missed: int
    units: int

    def of(self, strike: Strike) -> list[Outcome]:
        return [o for o in self.outcomes if o.strike == strike]

    def faults(self) -> Iterator[str]:
        """What does not hold, in words."""
        for o in self.outcomes:
            where = f"{o.run_id} ({o.strike} at {o.moment})"
            if o.state.value != "completed":
                yield f"{where}: {o.state.value}: {o.problem}"
            elif not o.same_findings:
                yield f"{where}: other findings than undisturbed"
            elif o.redone > MOST_REDONE:
                yield f"{where}: {o.redone} units computed twice"
            elif o.strike == "notice" and max(o.lost_share, share_redone(o)) > MOST_WASTED:
                yield f"{where}: {o.lost_share:.1%} of the work lost, {o.redone} units again"


def share_redone(outcome: Outcome) -> float:
    """Units computed twice over all units of the phase."""
    return outcome.redone / outcome.units if outcome.units else 0.0


def table(proof: Proof) -> Table:
    """What was survived, and in which time; median and range."""
    shown = Table(title="real kills on the embedded AWS", box=None, title_justify="left")
    for column in ("", "SIGKILL", "notice"):
        shown.add_column(column, justify="left" if not column else "right")
    both = (proof.of("kill"), proof.of("notice"))
    completed = [sum(o.state.value == "completed" for o in some) for some in both]
    same = [sum(o.same_findings for o in some) for some in both]
    shown.add_row("strikes", *(str(len(some)) for some in both))
    shown.add_row("runs that completed", *map(str, completed))
    shown.add_row("findings as undisturbed", *map(str, same))
    shown.add_row("units computed twice, at most", *(_most(o.redone for o in s) for s in both))
    shown.add_row("units computed twice, in all", *(str(sum(o.redone for o in s)) for s in both))
    rows: dict[str, list[list[float | None]]] = {
        "share of the phase computed twice, %": [[100 * share_redone(o) for o in s] for s in both],
        "seconds of work lost": [[o.lost_s for o in s] for s in both],
        "share of the phase's work lost, %": [[100 * o.lost_share for o in s] for s in both],
        "s to the replacement's launch": [[o.relaunched_s for o in s] for s in both],
        "s to its claim": [[o.claimed_s for o in s] for s in both],
        "s to its first useful unit": [[o.first_unit_s for o in s] for s in both],
    }
    for name, columns in rows.items():
        shown.add_row(name, *(_spread(numbers) for numbers in columns))
    return shown


def _most(numbers: Iterable[int]) -> str:
    return str(max(numbers, default=0))


def _spread(numbers: Sequence[float | None]) -> str:
    there = [number for number in numbers if number is not None]
    if not there:
        return "-"
    return f"{statistics.median(there):.1f} ({min(there):.1f} to {max(there):.1f})"
