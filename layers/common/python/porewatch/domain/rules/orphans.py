"""What nobody uses any more, and whether that is certain enough to end it. Pure.

Order: `Orphan` (what the cloud shows), `classify_orphan` (used, left over, or nobody knows),
`Kill` (what was ended and why), `Found` (one line for people).

A thing is left over when two witnesses say so: the cloud (attached to nothing, no machine left, or
still running) and the ledger (no such stage, a later epoch, the stage has ended). It must carry
the stack's tag and be older than its grace; and it is ended only when it was seen so twice, minutes
apart. A missing tag, an unknown age or a ledger that does not answer: UNKNOWN, told and left.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.rules.liveness import (
    REST,
    forgotten,
)
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.instances import (
    Machine,
    MachineState,
    Owner,
)
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
    """One thing the cloud bills. `unused` says in the cloud's own words why nobody uses it."""

    what: What
    name: str
    stack: Annotated[str | None, Field(description="as its tag says")] = None
    owner: Owner | None = None
    since: Moment | None = None
    unused: str
    machine: Machine | None = None


class Standing(StrEnum):
    USED = "used"
    LEFT = "left over"
    UNKNOWN = "unknown"


class Judgement(Model):
    standing: Standing
    why: tuple[str, ...] = ()


USED = Judgement(standing=Standing.USED)


class Found(Model):
    """One line of a report: what was found, and what was done about it."""

    what: What
    name: str
    why: tuple[str, ...]
    age_s: float | None = None
    action: Literal["told", "noted", "would end", "ended", "could not end"]
    problem: str = ""


class Kill(Model):
    """What was ended, why, and by whose word. Kept for 90 days."""

    what: What
    name: str
    owner: Owner | None = None
    why: tuple[str, ...]
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
    runs = "it waits in its queue" if machine.waiting else "it runs"
    return Orphan(
        what=What.JOB if machine.executor == "batch" else What.INSTANCE,
        name=machine.instance_id,
        stack=machine.owner.stack if machine.owner else stack,
        owner=machine.owner,
        since=machine.launched_at,
        unused=runs if machine.alive() else "it was stopped, or ends",
        machine=machine,
    )


def classify_orphan(
    orphan: Orphan, stack: str, record: StageRecord | None, ledger_answers: bool, at: datetime
) -> Judgement:
    """`record`: the stage its tags name, as the ledger has it; None when it has none."""
    if orphan.stack != stack:
        return _unknown("it carries no tag of this stack")
    if orphan.since is None and orphan.what is not What.INTERFACE:
        return _unknown("nobody knows how old it is")
    if orphan.since is not None and at - orphan.since < GRACE[orphan.what]:
        return USED
    if orphan.owner is None:
        return _judge_unowned(orphan, at)
    if not ledger_answers:
        return _unknown("the ledger does not answer")
    return _judge_owned(orphan, orphan.owner, record, at)


def _judge_unowned(orphan: Orphan, at: datetime) -> Judgement:
    """A machine that names no run may be a person's. All else is used by nobody at all."""
    if orphan.machine is not None:
        return _unknown("it names no run: perhaps somebody works with it")
    old = f"it is {_age(orphan, at)} old and" if orphan.since else "it"
    return _left(orphan.unused, f"{old} belongs to no run")


def _judge_owned(
    orphan: Orphan, owner: Owner, record: StageRecord | None, at: datetime
) -> Judgement:
    stage = f"stage {owner.stage} of {owner.run_id} revision {owner.revision}"
    if record is None:
        return _left(f"{orphan.unused}, {_age(orphan, at)} old", f"the ledger knows no {stage}")
    if orphan.machine is not None:
        why = forgotten(orphan.machine, record, at, rest=REST - BETWEEN_SIGHTS)
        return _left(*why.split(", and ", 1)) if why else USED
    if owner.epoch > record.epoch:
        return _unknown(f"epoch {owner.epoch} of {stage} has not begun")
    if owner.epoch < record.epoch:
        return _left(orphan.unused, f"epoch {owner.epoch} is over (now {record.epoch})")
    ended = record.state in ENDED
    return _left(orphan.unused, f"{stage} is {record.state.value}") if ended else USED


def seen_twice(first: datetime, at: datetime) -> bool:
    return at - first >= BETWEEN_SIGHTS - CLOCK_SLACK


def _age(orphan: Orphan, at: datetime) -> str:
    minutes = (at - (orphan.since or at)).total_seconds() / 60
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def _left(*why: str) -> Judgement:
    return Judgement(standing=Standing.LEFT, why=why)


def _unknown(why: str) -> Judgement:
    return Judgement(standing=Standing.UNKNOWN, why=(why,))
