"""Looking at all files of a run: only when the counts say that it may be complete by now.

    counts -> is it worth it? -> (list the folder, read all records) -> what is lacking is kept

The counts are read before the folder: a check recorded meanwhile asks for one look more, never for
one too few.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from porewatch.domain.intake import Look, counts_of, is_stuck, worth_a_look

if TYPE_CHECKING:
    from porewatch.adapters.intake import Intake
    from porewatch.domain.intake import Counts

What = Literal["manifest", "summary"]


@dataclass(frozen=True)
class Begun:
    """A look that is worth making; `seen` were the counts before it."""

    run_id: str
    of: What
    digest: str
    seen: Counts
    looks: int
    intake: Intake

    def announce(self, at: datetime) -> None:
        """Before the first look: whoever records a check from now on looks as well, since this look
        may have passed its file by."""
        if self.looks == 1:
            self.found((), at)

    def found(
        self,
        lacking: Iterable[str],
        at: datetime,
        missing: int = 0,
        patience_until: datetime | None = None,
    ) -> None:
        """Keep what the look found: paths whose check is lacking, how many more checks the
        summary asks for until `patience_until`."""
        look = Look(
            of=self.of,
            manifest_digest=self.digest,
            seen=self.seen,
            lacking=counts_of(lacking),
            missing=missing,
            patience_until=patience_until,
            looks=self.looks,
            at=at,
        )
        self.intake.keep(self.run_id, look)


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
    """None when the run cannot be complete yet. `swept`: somebody goes round, and looks at what has
    not moved for long as well. `last`: the last look, by who has just read it."""
    last = last or intake.look(run_id)
    seen = intake.recorded(run_id)
    if last is None or (last.of, last.manifest_digest) != (of, digest):
        return Begun(run_id, of, digest, seen, 1, intake)
    if worth_a_look(last, seen, at) or (swept and is_stuck(last, at)):
        return Begun(run_id, of, digest, seen, last.looks + 1, intake)
    return None
