"""The intake queue has three event sources: S3 (a new object), the event bus (a file was checked),
and a schedule (the sweep)."""

from __future__ import annotations

from porewatch.domain import s3_keys
from porewatch.domain.base import Model
from porewatch.domain.errors import MessageRefused
from porewatch.domain.facts.run_facts import FileQuarantined, FileValidated
from porewatch.edge.envelopes import Envelope, parse_fact, stored_object

SWEEP = "IntakeSweep"
"""Detail type of the schedule."""


class UploadEvent(Model):
    """`key` = the object in the raw bucket that was written or checked; None: the sweep."""

    key: str | None
    replayed: bool


def upload_event(envelope: Envelope) -> UploadEvent:
    """The parser of all three. Raises MessageRefused for every other event."""
    if envelope.detail_type == SWEEP:
        return UploadEvent(key=None, replayed=False)
    replayed = envelope.replay_name is not None
    if envelope.source == "aws.s3":
        return UploadEvent(key=stored_object(envelope).key, replayed=replayed)
    fact = parse_fact(envelope)
    if isinstance(fact, (FileValidated, FileQuarantined)):
        return UploadEvent(key=s3_keys.raw_key(fact.run_id, fact.path), replayed=replayed)
    raise MessageRefused(f"{envelope.detail_type} is not an event of the intake.")
