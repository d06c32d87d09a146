"""Money before it is spent: what is held for an epoch, and how it is settled or given back.

Amounts are whole micro-dollars, because sums of them are exact. A cap keeps one number that
counts, `committed` = held + spent, so that one condition on it can refuse what would be too much.
Always: reserved = settled + released + held, for each reservation and for each cap.

Order: amounts, `Reservation` with its three moves (each answers what moves at every cap), `Books`.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.people.roles import ProjectId, UserId
from porewatch.domain.runs import RunId

MILLION = 1_000_000
MonthUsd = Annotated[
    float | None, Field(ge=0, allow_inf_nan=False, description="cost in a calendar month")
]
"""What somebody may spend; None: no limit."""
Micro = Annotated[int, Field(description="millionths of a dollar")]


def micro(usd: float) -> int:
    """USD in whole micro-dollars.

    >>> micro(0.0438)
    43800
    """
    return round(usd * MILLION)


class Moves(NamedTuple):
    """What changes at every cap, in micro-dollars."""

    committed: int = 0
    reserved: int = 0
    settled: int = 0
    released: int = 0
    spent: int = 0


class Reservation(Model):
    """What is held for the machines of one epoch, and what became of it.

    `held` is held now. `reserved`, `settled` and `released` add up over the life of the epoch: a
    launch that found no machine gives its money back and may ask again. `settled` is what had been
    held for machines that are paid; `spent` is what those (and machines never reserved) cost.
    """

    run_id: RunId
    project: Annotated[
        ProjectId | None, Field(description="None: of before projects had budgets")
    ] = None
    user: Annotated[UserId | None, Field(description="who registered the run; None: no user")] = (
        None
    )
    revision: int
    stage: str
    epoch: int
    held: Micro = 0
    reserved: Micro = 0
    settled: Micro = 0
    released: Micro = 0
    spent: Micro = 0
    month: Annotated[str, Field(description="the calendar month (UTC) it counts in, `2026-11`")]
    price_snapshot: str = ""
    at: Moment

    def hold(self, amount: int, at: Moment) -> tuple[Reservation, Moves] | None:
        """Hold `amount` micro-dollars; None when something is held already."""
        if self.held:
            return None
        after = self._with(at, held=amount, reserved=self.reserved + amount)
        return after, Moves(committed=amount, reserved=amount)

    def settle(self, cost: int, at: Moment) -> tuple[Reservation, Moves]:
        """One machine is paid: its cost takes the place of what was held, if anything was."""
        held = self.held
        after = self._with(at, held=0, settled=self.settled + held, spent=self.spent + cost)
        return after, Moves(committed=cost - held, settled=held, spent=cost)

    def release(self, at: Moment) -> tuple[Reservation, Moves] | None:
        """No machine came of it: give back what is held; None when nothing is."""
        held = self.held
        if not held:
            return None
        after = self._with(at, held=0, released=self.released + held)
        return after, Moves(committed=-held, released=held)

    def _with(self, at: Moment, **changes: int) -> Reservation:
        return self.model_copy(update={**changes, "at": max(at, self.at)})


class Books(Model):
    """The sums of a cap, or of many reservations. USD. `cap_usd` None: nothing is refused."""

    cap_usd: float | None = None
    reserved_usd: float
    settled_usd: float
    released_usd: float
    held_usd: float
    spent_usd: float

    def passed(self, running_usd: float) -> bool:
        """Whether what was paid, and what machines at work cost so far, is above the cap."""
        if self.cap_usd is None:
            return False
        return micro(self.spent_usd) + micro(running_usd) > micro(self.cap_usd)

    @property
    def balanced(self) -> bool:
        """reserved = settled + released + held, to the micro-dollar."""
        parts = (self.settled_usd, self.released_usd, self.held_usd)
        return micro(self.reserved_usd) == sum(micro(part) for part in parts)


def is_spent(most: float, books: Books) -> bool:
    """Whether nothing is left of what may be spent in a month: of a project, a tier, or a user."""
    return micro(books.spent_usd) + micro(books.held_usd) >= micro(most)
