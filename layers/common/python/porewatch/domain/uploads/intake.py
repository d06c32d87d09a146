"""When is it worth looking at all files of a run? Counts decide, so that a file costs the same
whether a run has ten of them or fifty thousand. Pure.

Looking means listing the run's folder and reading the record of every file. A look finds what is
still lacking; each lacking file needs at least one more recorded check before the run can be
complete. Recorded checks are counted with the record itself, in one transaction, so the count is
exact: while fewer have come than were lacking, another look cannot find the run complete.

Only one process looks at a time, however many are notified of a check: a look is claimed first,
and counts that moved while it was made ask for the next one by the same process. So a run's folder
is listed a fixed number of times, however many orchestrators run at once. A claim that is not
released expires. What no count can see (a file deleted, an event lost) the sweep finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.inputs.file_kinds import find_kind

Counts = dict[str, int]
"""Recorded checks, or files, by kind (by the name's suffix; `other` for the rest)."""

FREE_LOOKS = 20
"""Looks of one seal that no clock holds back; halving 50,000 files takes 16."""
PAUSE = timedelta(seconds=30)
"""Between looks that the counts alone do not ask for: after the free ones, where files that are not
the run's own keep the counts moving, and while counted files are missing."""
STUCK = timedelta(minutes=10)
"""So long after a look, the sweep looks again whatever the counts say."""
CLAIM = timedelta(seconds=90)
"""How long a look is claimed: longer than a function runs, shorter than its message is hidden."""
LONGEST_REST = timedelta(days=1)
"""Between two searches of the sweep for a final summary in a run where nothing moves any more."""


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
    claimed_until: Annotated[
        Moment | None, Field(description="a look is under way; no other one begins until then")
    ] = None


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


def is_claimed(look: Look, at: Moment) -> bool:
    """Whether a look is under way."""
    return look.claimed_until is not None and at < look.claimed_until


def is_stuck(look: Look, at: Moment) -> bool:
    """Whether the sweep should look although the counts say no."""
    return at >= look.at + STUCK


def next_search(last: Look | None, recorded: Counts, at: Moment) -> tuple[Look, bool] | None:
    """What the sweep keeps, and whether it searches the run now for a final summary whose event was
    lost; None while neither is due.

    A sequencer writes the summary last, so a run whose files still come is not searched. One that
    stands still is searched ever more seldom: each search lists the whole run.
    """
    if last is None or last.of != "search":
        due = last is None or is_stuck(last, at)
        return (Look(of="search", seen=recorded, at=at), True) if due else None
    if recorded != last.seen:
        return Look(of="search", seen=recorded, at=at), False
    rest = min(STUCK * 2 ** min(last.looks - 1, 10), LONGEST_REST)
    if at < last.at + rest:
        return None
    return Look(of="search", seen=recorded, looks=last.looks + 1, at=at), True
