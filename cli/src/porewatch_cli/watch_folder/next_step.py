"""What happens next to a file of the folder, and whether the run may be sealed. Pure.

No wall clock decides: `now` is monotonic, and times of modification are only compared for being
equal. A file that changes is a new content, however far the old one had come.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class Stamp(NamedTuple):
    """A content of a file, as far as it is known without reading it."""

    size: int
    mtime_ns: int


class State(StrEnum):
    """How far a content has come, as the journal holds it."""

    CHECKED = "checked"  # read to its last byte, and sound
    SENT = "sent"  # it has arrived
    UNSOUND = "unsound"  # its check refused it: damaged, or not written to its end


class Step(StrEnum):
    """What is to be done with a file."""

    WAIT = "wait"  # it may still be written
    CHECK = "check"
    SEND = "send"
    REST = "rest"  # nothing, until it changes


class Seen(NamedTuple):
    """A file as it lies there. `place`: where it goes; `since`: when this content was first seen;
    `renamed`: it got its name after it was written under another one."""

    stamp: Stamp
    place: str
    since: float
    renamed: bool = False


class Known(NamedTuple):
    """What the journal has of a file. `place`: where it went, or will go; `arrivals`: how many
    contents of it have arrived."""

    stamp: Stamp
    place: str
    state: State
    sha256: str = ""
    arrivals: int = 0


def next_step(seen: Seen, known: Known | None, *, now: float, settle: float) -> Step:
    """Of one file. `settle`: seconds for which a content must stand still to count as closed."""
    if known is not None and known.stamp == seen.stamp:
        if known.state is State.UNSOUND:
            return Step.REST
        return Step.REST if _arrived(known, seen) else Step.SEND
    return Step.CHECK if is_closed(seen, now=now, settle=settle) else Step.WAIT


def is_closed(seen: Seen, *, now: float, settle: float) -> bool:
    """Whether nobody writes it any more, as far as can be seen from outside."""
    return seen.renamed or now - seen.since >= settle


def after_check(seen: Seen, known: Known | None, sha256: str) -> Known:
    """What the journal has of a sound content. One that arrived and was only touched is there."""
    arrivals = known.arrivals if known is not None else 0
    same = known is not None and known.sha256 == sha256 and _arrived(known, seen)
    state = State.SENT if same else State.CHECKED
    return Known(seen.stamp, seen.place, state, sha256, arrivals)


def after_refusal(seen: Seen, known: Known | None) -> Known:
    """What the journal has of a content that its check refused."""
    arrivals = known.arrivals if known is not None else 0
    return Known(seen.stamp, seen.place, State.UNSOUND, "", arrivals)


def may_seal(steps: Iterable[Step], *, lacking: bool, waited: float, patience: float) -> bool:
    """Whether the run is sealed now. The final summary is closed, and has been for `waited`
    seconds; `lacking`: something is unsound, or MinKNOW counted more files than lie there, which is
    waited for `patience` seconds."""
    return all(step is Step.REST for step in steps) and (not lacking or waited >= patience)


def _arrived(known: Known, seen: Seen) -> bool:
    return known.state is State.SENT and known.place == seen.place
