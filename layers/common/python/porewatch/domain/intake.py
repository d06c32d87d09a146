"""When is it worth looking at all files of a run? Counts decide, so that a file costs the same
whether a run has ten of them or fifty thousand. Pure.

Looking means listing the run's folder and reading the record of every file. A look finds what is
still lacking; each lacking file needs at least one more recorded check before the run can be
complete. Recorded checks are counted with the record itself, in one transaction, so the count is
exact: while fewer have come than were lacking, another look cannot find the run complete.

Every look is true for ever: one that was written late, or over a newer one, can only be followed by
a look too many. What no count can see (a file deleted, an event lost) is found by the sweep.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.naming import find_kind

Counts = dict[str, int]
"""Recorded checks, or files, by kind (by the name's suffix; `other` for the rest)."""

FREE_LOOKS = 20
"""Looks of one seal that no clock holds back; halving 50,000 files takes 16."""
PAUSE = timedelta(seconds=30)
"""Between looks that the counts alone do not ask for: after the free ones, where files that are not
the run's own keep the counts moving, and while counted files are missing."""
STUCK = timedelta(minutes=10)
"""So long after a look, the sweep looks again whatever the counts say."""


class Look(Model):
    """What was found when all files were looked at. `seen`: the counts before that."""

    of: Annotated[
        Literal["manifest", "summary", "started", "search"],
        Field(description="search: the sweep looked for a final summary, and there was none"),
    ]
    manifest_digest: Annotated[str, Field(description="empty for a summary")] = ""
    seen: Counts = {}
    lacking: Annotated[Counts, Field(description="files whose check is not recorded yet")] = {}
    missing: Annotated[
        int, Field(description="checks of whatever kind that the summary's counts still ask for")
    ] = 0
    patience_until: Annotated[
        Moment | None, Field(description="when missing files are not waited for any more")
    ] = None
    looks: int = 1
    at: Moment


def counts_of(paths: Iterable[str]) -> Counts:
    """How many of these there are of each kind."""
    return dict(Counter(kind_name(path) for path in paths))


def kind_name(path: str) -> str:
    """The kind that counts go by: of the name alone, so that manifest and record agree."""
    kind = find_kind(path)
    return kind.value if kind is not None else "other"


def worth_a_look(look: Look, recorded: Mapping[str, int], at: Moment) -> bool:
    """Whether the run may be complete by now, going by the checks `recorded` so far."""
    patient = look.patience_until is None or at < look.patience_until
    come = {kind: n - look.seen.get(kind, 0) for kind, n in recorded.items()}
    checked = all(come.get(kind, 0) >= n for kind, n in look.lacking.items())
    sent = not patient or sum(come.values()) >= look.missing
    paused = at >= look.at + PAUSE  # what was set aside by its name comes without any check
    return checked and (paused or (sent and look.looks < FREE_LOOKS))


def is_stuck(look: Look, at: Moment) -> bool:
    """Whether the sweep should look although the counts say no."""
    return at >= look.at + STUCK
