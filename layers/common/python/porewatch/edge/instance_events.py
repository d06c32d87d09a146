"""Events of EC2, Batch and the schedule, as `InstanceEvent`."""

from __future__ import annotations

from porewatch.domain.errors import MessageRefused
from porewatch.domain.stage.cloud_events import InstanceEvent, InstanceEventKind
from porewatch.edge.envelopes import Envelope

KINDS = {
    "Scheduled Event": InstanceEventKind.SWEEP,
    "EC2 Spot Instance Interruption Warning": InstanceEventKind.RECLAIM,
    "EC2 Instance Rebalance Recommendation": InstanceEventKind.REBALANCE,
    "EC2 Instance State-change Notification": InstanceEventKind.STATE,
    "Batch Job State Change": InstanceEventKind.STATE,
}
OVER = ("SUCCEEDED", "FAILED")


def instance_events(envelope: Envelope) -> InstanceEvent:
    """The parser of the instance monitor. Raises MessageRefused for every other event."""
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
