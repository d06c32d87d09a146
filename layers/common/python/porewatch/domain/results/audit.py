"""The audit trail: what happened to a run, in order, each entry chained to the one before it.

An entry's hash is SHA-256 over the previous hash and the entry's canonical JSON. The first entry
names what made the report (code, bundle, panel, rules, parameters), the last one the digest of all
answers in it; the hash of the last is the head. Whoever keeps the head can tell any later change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from porewatch.domain.base import Model, Moment

GENESIS = "0" * 64


class AuditEntry(Model):
    """`details` are names and values as text. `sha256` covers all else, and `previous`."""

    number: int
    at: Moment | None
    what: str
    details: dict[str, str]
    previous: str
    sha256: str


class AuditTrail(Model):
    entries: tuple[AuditEntry, ...]
    head: str


class SignOff(Model):
    """For a person to fill in. `report_sha256` and `audit_head` say what is being signed."""

    reviewer: str = ""
    role: str = ""
    date: str = ""
    decision: str = ""
    signature: str = ""
    comment: str = ""
    report_sha256: str
    audit_head: str


Event = tuple[Moment | None, str, Mapping[str, str]]


def chained(events: Sequence[Event]) -> AuditTrail:
    """The trail of these events, in their order."""
    entries: list[AuditEntry] = []
    head = GENESIS
    for number, (at, what, details) in enumerate(events, start=1):
        bare = AuditEntry(
            number=number, at=at, what=what, details=dict(details), previous=head, sha256=""
        )
        head = entry_hash(bare)
        entries.append(bare.model_copy(update={"sha256": head}))
    return AuditTrail(entries=tuple(entries), head=head)


def entry_hash(entry: AuditEntry) -> str:
    """What `entry.sha256` must be."""
    text = entry.canonical_json("sha256", "previous")
    return hashlib.sha256(f"{entry.previous}{text}".encode()).hexdigest()


def faults(trail: AuditTrail) -> Iterator[str]:
    """What does not fit, entry by entry; nothing when the chain holds."""
    head = GENESIS
    for place, entry in enumerate(trail.entries, start=1):
        if entry.number != place:
            yield f"entry {place} ({entry.what}) says that it is number {entry.number}"
        if entry.previous != head:
            yield f"entry {place} ({entry.what}) does not follow the entry before it"
        if entry_hash(entry) != entry.sha256:
            yield f"entry {place} ({entry.what}) was changed after it was hashed"
        head = entry.sha256
    if trail.head != head:
        yield "the head is not the hash of the last entry: entries are missing or were added"
