"""Looking at all files of a run: only when the counts say that it may be complete by now.

    counts -> is it worth it? -> claim -> (list the folder, read all records) -> what is lacking

One looks at a time. Who records a check meanwhile and finds a look claimed goes on: its check was
counted before, and whoever looks reads the counts once more after the claim was given back.
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
    """A look that is claimed: `latest` is the look as the ledger has it, `seen` the counts now.
    Until a look has found something, the ledger says what the one before it found."""

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
        """Keep what the look found, and give the claim back: paths whose check is lacking, how many
        more checks the summary asks for until `patience_until`."""
        changed = {
            "seen": self.seen,
            "lacking": counts_of(lacking),
            "missing": missing,
            "patience_until": patience_until,
            "at": at,
        }
        self._keep(self.latest.model_copy(update={**changed, "claimed_until": None}))

    def give_back(self) -> None:
        """End the claim, whatever became of the look. Nothing when it has ended."""
        if self.latest.claimed_until is not None:
            self._keep(self.latest.model_copy(update={"claimed_until": None}))

    def again(self, at: datetime) -> Begun | None:
        """The next look, if counts that moved during this one ask for it."""
        if self.intake.recorded(self.run_id) == self.seen:
            return None
        digest = self.latest.manifest_digest
        return begin_look(self.run_id, self.of, digest=digest, intake=self.intake, at=at)

    def _keep(self, look: Look) -> None:
        """What has been claimed by somebody else since is theirs."""
        self.intake.replace(self.run_id, self.latest, look)
        self.latest = look


@contextmanager
def looking(look: Begun) -> Iterator[Begun]:
    """Gives the claim back at the end, also of a look that failed."""
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
    """None when the run cannot be complete yet, or somebody looks already. `swept`: somebody goes
    round, and looks at what has not moved for long as well. `last`: the last look, by who has just
    read it."""
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
