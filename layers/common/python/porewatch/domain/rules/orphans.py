"""Orphaned resources, and whether that is certain enough to clean them up. Pure.

Order: `Orphan` (what the cloud shows), `classify_orphan` (used, orphaned, or unknown),
`Found` (one line for people), `Kill` (what was ended and why).

A resource is orphaned when two sources agree: the cloud (attached to nothing, no machine left, or
still running) and the ledger (no such stage, a later epoch, the stage has ended). It must carry
the stack's tag and be older than its grace; and it is ended only when it was seen so twice, minutes
apart. A missing tag, an unknown age or a ledger that does not answer: UNKNOWN: reported
and kept.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model, Moment
from porewatch.domain.reasons.reason import Code, Reason, Reasons, because, of_version_1, texts
from porewatch.domain.rules.liveness import REST, forgotten
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.instances import Machine, MachineState, Owner
from porewatch.domain.stage.record import StageRecord

BETWEEN_SIGHTS = timedelta(minutes=5)
"""How far apart the two sights are, at least."""
SIGHT_LASTS = timedelta(minutes=30)
"""A first sight that was not repeated for so long counts no more: the thing was used meanwhile."""
CLOCK_SLACK = timedelta(seconds=30)
"""A schedule comes some seconds early or late; five minutes are meant, not five and one second."""


class What(StrEnum):
    INSTANCE = "instance"
    JOB = "job"
    VOLUME = "volume"
    INTERFACE = "network interface"
    FLEET = "fleet"
    UPLOAD = "multipart upload"
    TEMPLATE_VERSION = "launch template version"


GRACE = {
    What.INSTANCE: timedelta(minutes=5),
    What.JOB: timedelta(minutes=5),
    What.VOLUME: timedelta(minutes=10),
    What.INTERFACE: timedelta(0),
    What.FLEET: timedelta(minutes=10),
    What.UPLOAD: timedelta(days=1),
    What.TEMPLATE_VERSION: timedelta(hours=1),
}
"""Younger ones are left alone; of an interface EC2 does not say how old it is. An instance is
exposed for 15 minutes at most: 5 of grace, up to 5 to the first sight, 5 to the second."""


class Orphan(Model):
    """One billed resource. `unused`: why it is unused, as the cloud shows it."""

    what: What
    name: str
    stack: Annotated[str | None, Field(description="as its tag says")] = None
    owner: Owner | None = None
    since: Moment | None = None
    unused: Reason
    machine: Machine | None = None


class Standing(StrEnum):
    USED = "used"
    LEFT = "left over"
    UNKNOWN = "unknown"


class Judgement(Model):
    standing: Standing
    why: Reasons = ()


USED = Judgement(standing=Standing.USED)


class Explained(Model):
    """What has reasons. A stack, or a ledger entry, of an earlier version has their texts alone."""

    reasons: Reasons

    @computed_field(description="`reasons` in English")  # type: ignore[prop-decorator]
    @property
    def why(self) -> tuple[str, ...]:
        return texts(self.reasons)

    @model_validator(mode="before")
    @classmethod
    def _of_texts(cls, data: Any) -> Any:
        return of_version_1(data, why="reasons")


class Found(Explained):
    """One line of a report: what was found, and what was done about it."""

    what: What
    name: str
    age_s: float | None = None
    action: Literal["told", "noted", "would end", "ended", "could not end"]
    problem: str = ""


class Kill(Explained):
    """What was cleaned up and why. Kept for 90 days."""

    what: What
    name: str
    owner: Owner | None = None
    first_seen: Moment
    at: Moment
    exposed_s: Annotated[float, Field(description="seconds from its beginning to its end")] = 0.0
    usd: Annotated[float, Field(description="what a machine cost in that time, at list price")] = (
        0.0
    )
    outcome: Literal["asked", "ended", "could not end"] = "asked"
    problem: str = ""


def thing_of(machine: Machine, stack: str) -> Orphan | None:
    """A machine or job that still costs money; None for one that has ended, or of which nothing is
    known. `stack` is whose inventory it was found in; its own tags may say less."""
    if machine.state not in (MachineState.RUNNING, MachineState.ENDING):
        return None
    runs = Code.WAITS_IN_QUEUE if machine.waiting else Code.RUNNING
    return Orphan(
        what=What.JOB if machine.executor == "batch" else What.INSTANCE,
        name=machine.instance_id,
        stack=machine.owner.stack if machine.owner else stack,
        owner=machine.owner,
        since=machine.launched_at,
        unused=because(runs if machine.alive() else Code.STOPPED),
        machine=machine,
    )


def classify_orphan(
    orphan: Orphan, stack: str, record: StageRecord | None, ledger_answers: bool, at: datetime
) -> Judgement:
    """`record`: the stage its tags name, as the ledger has it; None when it has none."""
    if orphan.stack != stack:
        return _unknown(because(Code.OTHER_STACK))
    if orphan.since is None and orphan.what is not What.INTERFACE:
        return _unknown(because(Code.AGE_UNKNOWN))
    if orphan.since is not None and at - orphan.since < GRACE[orphan.what]:
        return USED
    if orphan.owner is None:
        return _judge_unowned(orphan, at)
    if not ledger_answers:
        return _unknown(because(Code.LEDGER_SILENT))
    return _judge_owned(orphan, orphan.owner, record, at)


def _judge_unowned(orphan: Orphan, at: datetime) -> Judgement:
    """An instance that names no run may be a person's. All other resources are unused."""
    if orphan.machine is not None:
        return _unknown(because(Code.MAYBE_SOMEBODYS))
    if orphan.since is None:
        return _left(orphan.unused, because(Code.NO_RUN))
    return _left(orphan.unused, because(Code.OLD_AND_NO_RUN, age=_age(orphan, at)))


def _judge_owned(
    orphan: Orphan, owner: Owner, record: StageRecord | None, at: datetime
) -> Judgement:
    stage = because(Code.STAGE_OF_RUN, stage=owner.stage, run=owner.run_id, revision=owner.revision)
    if record is None:
        old = because(Code.OF_AGE, what=orphan.unused, age=_age(orphan, at))
        return _left(old, because(Code.NO_SUCH_STAGE, stage=stage))
    if orphan.machine is not None:
        why = forgotten(orphan.machine, record, at, rest=REST - BETWEEN_SIGHTS)
        return _left(*why) if why else USED
    if owner.epoch > record.epoch:
        return _unknown(because(Code.EPOCH_NOT_BEGUN, epoch=owner.epoch, stage=stage))
    if owner.epoch < record.epoch:
        over = because(Code.EPOCH_OVER, epoch=owner.epoch, now=record.epoch)
        return _left(orphan.unused, over)
    if record.state not in ENDED:
        return USED
    return _left(orphan.unused, because(Code.STAGE_IS, stage=stage, state=record.state.value))


def seen_twice(first: datetime, at: datetime) -> bool:
    return at - first >= BETWEEN_SIGHTS - CLOCK_SLACK


def _age(orphan: Orphan, at: datetime) -> Reason:
    minutes = (at - (orphan.since or at)).total_seconds() / 60
    if minutes < 120:
        return because(Code.MINUTES_OLD, n=round(minutes))
    return because(Code.HOURS_OLD, n=round(minutes / 60))


def _left(*why: Reason) -> Judgement:
    return Judgement(standing=Standing.LEFT, why=why)


def _unknown(why: Reason) -> Judgement:
    return Judgement(standing=Standing.UNKNOWN, why=(why,))
