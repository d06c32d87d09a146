"""The head of a report's audit trail, kept outside the report and signed as it is published; and
once a day a signed record over the heads that were published, which holds the one before it. Pure.

Write access to the reports allows rewriting a whole trail, and write access to the ledger an
anchor to it; but not its proof, which the stack's audit key alone gives. Whoever removes an anchor
leaves it in its day's record, and a record that is changed or removed breaks the chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from porewatch.domain.base import Model, Moment
from porewatch.domain.results.audit import GENESIS

CLOSES = timedelta(hours=1)
"""After its end a day is recorded: a head is kept minutes after the time that it carries, and the
ledger's index shows it a moment later."""
MOST_HEADS = 2000
"""Heads in one record, which is one item of the ledger (400 kB); more go into the next one."""


class Anchor(Model):
    """`head` of the trail of one revision's report. `mac`: its proof by the audit key, in hex."""

    run_id: str
    revision: int
    head: str
    at: Moment
    mac: str

    @property
    def place(self) -> str:
        """Among all anchors, in order of time."""
        return f"{self.at.astimezone(UTC).isoformat()}#{self.run_id}#{self.revision:04d}"

    @property
    def line(self) -> str:
        """How a day's record names it."""
        return f"{self.run_id} r{self.revision} {self.head}"


class Recorded(Protocol):
    """What a day's record names: a published head, or a signature."""

    @property
    def place(self) -> str: ...

    @property
    def line(self) -> str: ...


class Unreadable(Model):
    """What stood there and can no longer be read; `of`: which record of the ledger."""

    place: str
    of: str

    @property
    def line(self) -> str:
        """How the day's record names it: as no head and no signature."""
        return f"{self.of} unreadable"


class AnchorDay(Model):
    """The heads that were published and the signatures that were made up to the end of `day` (UTC)
    and stand in no earlier record.

    `heads`: the `line` of each; `until`: the place up to which anchors were read. `previous`:
    digest of the record before it, GENESIS of the first. `mac` as an anchor's.
    """

    day: date
    previous: str
    heads: tuple[str, ...]
    until: str
    mac: str


class AnchorFound(StrEnum):
    """What the stack holds of a report's head. `denies`: then the report is not the published one,
    or what shows it was tampered with."""

    NONE = "no_anchor"
    SIGNED = "signed"
    FORGED = "not_by_the_audit_key"
    OTHER = "other_head"
    REMOVED = "anchor_removed"
    DELETED = "run_deleted"

    @property
    def denies(self) -> bool:
        return self in (AnchorFound.FORGED, AnchorFound.OTHER, AnchorFound.REMOVED)


class DayFound(StrEnum):
    """What the chain of days says of an anchor. `denies`: something was changed or removed."""

    NONE = "no_chain"
    UNNAMED = "not_named"
    BEFORE = "before_the_chain"
    NOT_YET = "not_yet"
    RECORDED = "recorded"
    MISSING = "not_in_its_day"
    BROKEN = "chain_broken"
    FORGED = "chain_not_by_the_audit_key"
    UNLIKE_LOCKED = "chain_not_the_locked_copy"

    @property
    def denies(self) -> bool:
        return self in (
            *(DayFound.MISSING, DayFound.BROKEN, DayFound.FORGED),
            DayFound.UNLIKE_LOCKED,
        )


def signed_text(stack: str, anchor: Anchor) -> bytes:
    """What `mac` is the proof of: all that the anchor says, of this stack."""
    return json.dumps(["porewatch-audit-head-1", stack, anchor.canonical_json("mac")]).encode()


def signed_day(stack: str, record: AnchorDay) -> bytes:
    """What the `mac` of a day's record is the proof of."""
    return json.dumps(["porewatch-audit-day-1", stack, record.canonical_json("mac")]).encode()


def day_due(last: AnchorDay | None, at: datetime) -> date | None:
    """The next day that gets its record: the one after the last, if it is over. The first record of
    a stack is yesterday's."""
    over = (at.astimezone(UTC) - CLOSES).date() - timedelta(days=1)
    due = over if last is None else last.day + timedelta(days=1)
    return due if due <= over else None


def end_of(day: date) -> str:
    """Anchors of this day stand before this place, those of the next one after it."""
    return datetime.combine(day + timedelta(days=1), time(), UTC).isoformat()


def next_record(last: AnchorDay | None, day: date, anchors: Iterable[Recorded]) -> AnchorDay:
    """Without its proof. `anchors`: those after the last record's `until`, in order."""
    taken: list[Recorded] = []
    for anchor in anchors:
        if anchor.place >= end_of(day) or len(taken) == MOST_HEADS:
            break
        taken.append(anchor)
    return AnchorDay(
        day=day,
        previous=last.digest() if last else GENESIS,
        heads=tuple(anchor.line for anchor in taken),
        until=taken[-1].place if len(taken) == MOST_HEADS else end_of(day),
        mac="",
    )


def breaks(records: Sequence[AnchorDay]) -> Iterator[date]:
    """The days whose record does not follow the one before it; none when the chain holds."""
    before: AnchorDay | None = None
    for record in records:
        due = before.day + timedelta(days=1) if before else record.day
        if record.previous != (before.digest() if before else GENESIS) or record.day != due:
            yield record.day
        before = record


def unlike(records: Sequence[AnchorDay], locked: Mapping[date, str]) -> date | None:
    """The first day whose record is another than its locked copy, or is not there any more.
    `locked`: day -> digest of the copy."""
    kept = {record.day: record.digest() for record in records}
    return next((day for day, digest in sorted(locked.items()) if kept.get(day) != digest), None)


def recorded_on(anchor: Anchor, records: Sequence[AnchorDay]) -> AnchorDay | None:
    """The record that names this anchor."""
    return next((record for record in records if anchor.line in record.heads), None)


def heads_of(run_id: str, revision: int, records: Sequence[AnchorDay]) -> tuple[str, ...]:
    """Every head that a record names for this revision."""
    begins = f"{run_id} r{revision} "
    lines = (line for record in records for line in record.heads if line.startswith(begins))
    return tuple(line.removeprefix(begins) for line in lines)


def found_by_day(anchor: Anchor, records: Sequence[AnchorDay], *, listed: bool) -> DayFound:
    """Where an anchor stands in a chain that holds. `listed`: the index of anchors, from which
    records are made, has it; not so of those that versions without the chain kept."""
    if not records:
        return DayFound.NONE
    if recorded_on(anchor, records) is not None:
        return DayFound.RECORDED
    if not listed:
        return DayFound.BEFORE
    if anchor.place > records[-1].until:
        return DayFound.NOT_YET
    first = datetime.combine(records[0].day, time(), UTC)
    return DayFound.BEFORE if anchor.at < first else DayFound.MISSING
