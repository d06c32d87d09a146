"""List all files of a run only when the counters say that it may be complete.

    counters -> worth a look? -> claim -> (list the folder, read all records) -> what is missing

One worker looks at a time. A worker that records a check meanwhile and finds the look claimed goes
on: its check was counted before, and the counters are read again after the claim is released.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from porewatch.domain.uploads.intake import (
    CLAIM,
    Look,
    counts_of,
    is_claimed,
    is_stuck,
    worth_a_look,
)

if TYPE_CHECKING:
    from porewatch.adapters.ledger.intake_counters import Intake
    from porewatch.domain.uploads.intake import Counts

What = Literal["manifest", "summary"]


@dataclass
class Begun:
    """A claimed look: `latest` is the look in the ledger, `seen` the counters now. Until this look
    has a result, the ledger keeps the result of the previous one."""

    run_id: str
    of: What
    latest: Look
    seen: Counts
    intake: Intake

    def found(
        self,
        lacking: Iterable[str],
        at: datetime,
        missing: int = 0,
        patience_until: datetime | None = None,
    ) -> None:
        """Record the result and release the claim: the paths without a check, and how many more
        checks the final summary counts until `patience_until`."""
        changed = {
            "seen": self.seen,
            "lacking": counts_of(lacking),
            "missing": missing,
            "patience_until": patience_until,
            "at": at,
        }
        self._keep(self.latest.model_copy(update={**changed, "claimed_until": None}))

    def give_back(self) -> None:
        """Release the claim, whatever the result. Nothing when it is released already."""
        if self.latest.claimed_until is not None:
            self._keep(self.latest.model_copy(update={"claimed_until": None}))

    def again(self, at: datetime) -> Begun | None:
        """Another look, if the counters changed during this one."""
        if self.intake.recorded(self.run_id) == self.seen:
            return None
        digest = self.latest.manifest_digest
        return begin_look(self.run_id, self.of, digest=digest, intake=self.intake, at=at)

    def _keep(self, look: Look) -> None:
        """Does nothing when somebody else has claimed the look since."""
        self.intake.replace(self.run_id, self.latest, look)
        self.latest = look


@contextmanager
def looking(look: Begun) -> Iterator[Begun]:
    """Release the claim at the end, also after an error."""
    try:
        yield look
    finally:
        look.give_back()


def begin_look(
    run_id: str,
    of: What,
    *,
    digest: str = "",
    intake: Intake,
    at: datetime,
    swept: bool = False,
    last: Look | None = None,
) -> Begun | None:
    """None when the run cannot be complete yet, or a look is under way. `swept`: called by the
    sweep, which also looks at runs that have not changed for long. `last`: the last look, if the
    caller has just read it."""
    last = last or intake.look(run_id)
    same = last is not None and (last.of, last.manifest_digest) == (of, digest)
    if last is not None and same and is_claimed(last, at):
        return None
    seen = intake.recorded(run_id)
    look = Look(of=of, manifest_digest=digest, seen=seen, at=at, claimed_until=at + CLAIM)
    if last is not None and same:
        if not (worth_a_look(last, seen, at) or (swept and is_stuck(last, at))):
            return None
        look = last.model_copy(update={"looks": last.looks + 1, "claimed_until": at + CLAIM})
    return Begun(run_id, of, look, seen, intake) if intake.replace(run_id, last, look) else None
