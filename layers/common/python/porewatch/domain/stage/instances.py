"""Machines: what is asked for, what was got, and what is known of one. Nothing here launches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.reasons.reason import Reason, Reasons, RunCode, because, original
from porewatch.domain.runs import RunId

Purchase = Literal["spot", "on-demand"]
ExecutorName = Literal["ec2", "batch"]
SOURCES: tuple[ExecutorName, ...] = ("ec2", "batch")
ExecutorChoice = Literal["ec2", "batch", "ec2-then-batch"]
"""What the operator wants of a stack; `compute.executors` says what each means."""

EXPIRES_TAG = "porewatch-expires-at"
PURCHASE_TAG = "porewatch-purchase"
TAG_TIME = "%Y-%m-%dT%H:%M:%SZ"


class Owner(Model):
    """The stage an instance works for. Written on it as tags, so that every instance has an
    owner."""

    stack: str
    run_id: RunId
    revision: int
    stage: str
    epoch: int

    def tags(self) -> dict[str, str]:
        """The tags that say so, and by which the machine is found again."""
        return {
            "porewatch-stack": self.stack,
            "porewatch-run": self.run_id,
            "porewatch-revision": str(self.revision),
            "porewatch-stage": self.stage,
            "porewatch-epoch": str(self.epoch),
        }

    @staticmethod
    def from_tags(tags: dict[str, str]) -> Owner | None:
        """The owner that the tags name; None when they name none."""
        try:
            return Owner(
                stack=tags["porewatch-stack"],
                run_id=tags["porewatch-run"],
                revision=int(tags["porewatch-revision"]),
                stage=tags["porewatch-stage"],
                epoch=int(tags["porewatch-epoch"]),
            )
        except (KeyError, ValueError):
            return None


class LaunchSpec(Model):
    """One request for one machine: everything that makes it this request and no other."""

    owner: Owner
    rung: Annotated[int, Field(ge=0)]
    purchase: Purchase
    instance_types: tuple[str, ...]
    subnet_ids: tuple[str, ...]
    launch_template_id: str
    expires_at: Moment
    executor: ExecutorName = "ec2"
    reason: Annotated[str, Field(description="why this rung is tried, for a person")] = ""
    why: Annotated[
        Reason | None,
        Field(exclude=True, description="`reason`, by code; never stored: a token is of the text"),
    ] = None
    prioritized: Annotated[
        bool, Field(description="the order of `instance_types` is the operator's priority")
    ] = False
    disk_gib: Annotated[int, Field(ge=8)] = 200
    left_out: Annotated[
        tuple[str, ...], Field(description="`type@subnet` that is not asked: it gave none just now")
    ] = ()
    job_queue: Annotated[str, Field(description="Batch: ARN or name of the queue")] = ""
    job_definition: Annotated[str, Field(description="Batch: ARN with its revision")] = ""
    vcpus: Annotated[int, Field(ge=0, description="Batch: what the job asks for")] = 0
    memory_mib: Annotated[int, Field(ge=0, description="Batch: what the job asks for")] = 0
    secret: Annotated[
        str,
        Field(exclude=True, repr=False, description="proves its messages; never stored"),
    ] = ""

    @property
    def rung_why(self) -> Reasons:
        """`reason`, by code; quoted in a request of an earlier version."""
        return (self.why,) if self.why else original(self.reason)

    def tags(self) -> dict[str, str]:
        """All tags of the machine. `expires_at`: when it can no longer be needed."""
        return {
            **self.owner.tags(),
            EXPIRES_TAG: self.expires_at.strftime(TAG_TIME),
            PURCHASE_TAG: self.purchase,
        }

    def client_token(self) -> str:
        """64 hex digits: the same request has the same token, any other request another one.

        Stack, run, revision, stage, epoch, rung and the digest of the whole request go in.
        """
        owner = self.owner
        parts = (owner.stack, owner.run_id, owner.revision, owner.stage, owner.epoch, self.rung)
        text = "#".join(str(part) for part in (*parts, self.digest()))
        return hashlib.sha256(text.encode()).hexdigest()[:64]


def no_rung(each: Iterable[tuple[Reasons, Reasons]]) -> Reason:
    """What all rungs gave together: of each, what it was and why it gave no machine."""
    said = (because(RunCode.RUNG_SAYS, rung=rung, why=why) for rung, why in each)
    return because(RunCode.NO_RUNG, each=tuple(said))


def tagged_time(text: str | None) -> datetime | None:
    """A time as tags write it, in UTC; None for everything else.

    >>> tagged_time('2026-11-21T09:30:00Z').hour, tagged_time('tomorrow')
    (9, None)
    """
    try:
        return datetime.strptime(text or "", TAG_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


class LaunchIntent(Model):
    """What was about to be asked for, written down before asking."""

    spec: LaunchSpec
    client_token: str
    at: Moment


class MachineState(StrEnum):
    """`unknown` is not an answer: nothing may be done about it."""

    RUNNING = "running"
    ENDING = "ending"
    GONE = "gone"
    UNKNOWN = "unknown"


def source_of(instance_id: str) -> ExecutorName:
    """Where a machine with this id comes from: `i-...` is EC2's, all else is a job's.

    >>> source_of('i-0a1b2c3d4e5f60718')
    'ec2'
    """
    return "ec2" if instance_id.startswith("i-") else "batch"


class Machine(Model):
    """One machine as the cloud shows it. `ended_at` and `why_ended` when it says so.

    A Batch job is a machine too: `instance_id` is its job id.
    """

    instance_id: str
    state: MachineState
    instance_type: str
    purchase: Purchase
    availability_zone: str
    launched_at: Moment
    owner: Owner | None = None
    expires_at: Moment | None = None
    ended_at: Moment | None = None
    why_ended: str = ""
    executor: ExecutorName = "ec2"
    waiting: Annotated[bool, Field(description="Batch: in its queue, on no computer yet")] = False
    session: Annotated[
        str,
        Field(description="Batch: id of its ECS task, its credentials' session"),
    ] = ""

    @property
    def pool(self) -> str:
        """Where it came from, as spot counts it: `type@zone`."""
        return f"{self.instance_type}@{self.availability_zone}"

    @property
    def reclaimed(self) -> bool:
        """True when the cloud took it back. Batch says so of the host, in a sentence."""
        host_gone = self.executor == "batch" and self.why_ended.startswith("Host EC2 (instance")
        return "SpotInstance" in self.why_ended or (host_gone and self.purchase == "spot")

    def alive(self) -> bool:
        return self.state is MachineState.RUNNING
