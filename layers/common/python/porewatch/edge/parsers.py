"""Parsers of single functions: an event of theirs, as what the use case takes.

Order: the intake queue, the instance monitor, ends of executions, the orphan cleanup, the archive,
signatures. Each raises MessageRefused for every other event.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from porewatch.domain import s3_keys
from porewatch.domain.archive.artefact import Artefact, Shelf
from porewatch.domain.archive.looks import LOOK, Look, LookAtArtefact, LookAtRun, LookAtUser
from porewatch.domain.base import Model
from porewatch.domain.errors import MessageRefused
from porewatch.domain.facts.run_facts import FileQuarantined, FileValidated, ReportSigned
from porewatch.domain.rules.orphan_cleanup import Reap
from porewatch.domain.stage.cloud_events import ExecutionEnded, InstanceEvent, InstanceEventKind
from porewatch.domain.tiers.tier_changed import TierChanged
from porewatch.edge.envelopes import Envelope, checked, parse_fact, stored_object
from porewatch.settings import settings

SWEEP = "IntakeSweep"
"""Detail type of the schedule."""


class UploadEvent(Model):
    """An event of the intake queue, which has three sources: S3 (a new object), the event bus (a
    file was checked), and a schedule (the sweep).

    `key` = the object in the raw bucket that was written or checked; None: the sweep."""

    key: str | None
    replayed: bool


def upload_event(envelope: Envelope) -> UploadEvent:
    """The parser of all three sources."""
    if envelope.detail_type == SWEEP:
        return UploadEvent(key=None, replayed=False)
    replayed = envelope.replay_name is not None
    if envelope.source == "aws.s3":
        return UploadEvent(key=stored_object(envelope).key, replayed=replayed)
    fact = parse_fact(envelope)
    if isinstance(fact, (FileValidated, FileQuarantined)):
        return UploadEvent(key=s3_keys.raw_key(fact.run_id, fact.path), replayed=replayed)
    raise MessageRefused(f"{envelope.detail_type} is not an event of the intake.")


KINDS = {
    "Scheduled Event": InstanceEventKind.SWEEP,
    "EC2 Spot Instance Interruption Warning": InstanceEventKind.RECLAIM,
    "EC2 Instance Rebalance Recommendation": InstanceEventKind.REBALANCE,
    "EC2 Instance State-change Notification": InstanceEventKind.STATE,
    "Batch Job State Change": InstanceEventKind.STATE,
}
OVER = ("SUCCEEDED", "FAILED")


def instance_events(envelope: Envelope) -> InstanceEvent:
    """The parser of the instance monitor: events of EC2, Batch and the schedule."""
    kind = KINDS.get(envelope.detail_type)
    if kind is None:
        raise MessageRefused(f"{envelope.detail_type!r} is not an event of the instance monitor.")
    detail = envelope.detail or {}
    if "jobId" in detail:
        state = "terminated" if detail.get("status") in OVER else "running"
        return InstanceEvent(kind=kind, instance_id=detail["jobId"], state=state)
    return InstanceEvent(
        kind=kind, instance_id=detail.get("instance-id", ""), state=detail.get("state", "")
    )


ENDED: TypeAdapter[ExecutionEnded] = TypeAdapter(ExecutionEnded)


def execution_ended(envelope: Envelope) -> ExecutionEnded | None:
    """A status change of an execution; None for a schedule. MessageRefused when the event does not
    name its run."""
    if envelope.detail_type == "Scheduled Event":
        return None
    detail = envelope.detail or {}
    try:
        order = json.loads(detail["input"])
        fields: dict[str, Any] = {
            "run_id": order["run_id"],
            "revision": order["revision"],
            "status": detail["status"],
            "error": detail.get("error") or "",
            "cause": detail.get("cause") or "",
            "execution_arn": detail.get("executionArn") or "",
        }
    except (KeyError, TypeError, ValueError) as error:
        raise MessageRefused(
            f"a status change of an execution does not name its run: {error}."
        ) from error
    return checked(ENDED, fields, ExecutionEnded.__name__)


def reap_order(envelope: Envelope) -> Reap:
    """The parser of the orphan cleanup: the schedule, and the expiry of one instance."""
    if envelope.detail_type == "Scheduled Event":
        return Reap()
    if envelope.detail_type == "Machine Expired":
        return checked(TypeAdapter(Reap), envelope.detail, "Machine Expired")
    raise MessageRefused(f"{envelope.detail_type!r} is not an event of the orphan cleanup.")


LOOKS_OF_RUNS = ("RunHeld", "HoldReleased", "RunDeleted")
"""Facts after which other artefacts of a run are to be hot, or none is there any more."""


def archive_look(envelope: Envelope) -> Look:
    """The parser of the archiver's queue: its own messages, changed tiers, holds, deletions, and
    objects that S3 has restored. MessageRefused for what is no object of a run."""
    if envelope.detail_type == "TierChanged":
        changed = checked(TypeAdapter(TierChanged), envelope.detail, "TierChanged")
        return LookAtUser(user_id=changed.user_id)
    if envelope.detail_type in LOOKS_OF_RUNS:
        return LookAtRun(run_id=parse_fact(envelope).run_id)
    if envelope.source == "aws.s3":
        found, config = stored_object(envelope), settings()
        names = {config.results_bucket: Shelf.RESULTS, config.reports_bucket: Shelf.REPORTS}
        if found.bucket not in names:
            raise MessageRefused(f"bucket {found.bucket} has no artefacts.")
        run_id, _ = s3_keys.split_raw_key(found.key)
        artefact = Artefact(run_id=run_id, shelf=names[found.bucket], key=found.key)
        return LookAtArtefact(artefact=artefact)
    return checked(LOOK, envelope.detail, "look of the archive")


def report_signed(envelope: Envelope) -> ReportSigned:
    """A signature was made."""
    fact = parse_fact(envelope)
    if isinstance(fact, ReportSigned):
        return fact
    raise MessageRefused(f"{envelope.detail_type} is no signature.")
