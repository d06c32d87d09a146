"""The fenced state of a stage, as the ledger holds it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Count, Finite, Model, Moment, Problem, Sha256
from porewatch.domain.reasons.reason import BesideText
from porewatch.domain.runs import RunId
from porewatch.domain.stage.instances import ExecutorName
from porewatch.domain.stage.spec import Phase


class StageState(StrEnum):
    """OPEN -> LAUNCHED -> CLAIMED -> PUBLISHED, or one of the two ends below."""

    OPEN = "open"  # epoch taken, nothing launched
    LAUNCHED = "launched"  # a machine was asked for
    CLAIMED = "claimed"  # the machine's worker owns the epoch
    PUBLISHED = "published"  # the stage manifest is visible
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Progress(Model):
    """How far a stage is."""

    phase: Phase
    units_done: Count = 0
    units_total: Count | None = None
    reads: Count = 0
    bases: Count = 0
    checkpoint: Count | None = None
    checkpoint_at: Annotated[Moment | None, Field(description="when it was written")] = None
    bytes_done: Annotated[Count, Field(description="bytes of input worked through")] = 0
    bytes_total: Annotated[Count | None, Field(description="bytes of all inputs")] = None
    flush_s: Annotated[Finite, Field(ge=0, description="seconds the last checkpoint took")] = 0.0
    interval_s: Annotated[
        Finite, Field(ge=0, description="seconds from checkpoint to checkpoint, as computed")
    ] = 0.0
    quarantined: Annotated[
        tuple[Count, ...], Field(description="units that were given up, by number")
    ] = ()
    note: str = ""
    waits_for_service: Annotated[
        bool, Field(description="a service that the work needs does not answer: it goes on then")
    ] = False

    def mark(self) -> tuple[object, ...]:
        """Where the work stands: equal marks, nothing was done in between."""
        counts = (self.units_done, self.reads, self.bases, self.bytes_done)
        return (self.phase, *counts, self.checkpoint, self.quarantined)


class StageKey(NamedTuple):
    """Which stage of which revision of which run."""

    run_id: str
    revision: int
    stage: str


class StageRecord(Model):
    """The fenced state of one stage of one run revision. Every write carries `epoch`."""

    run_id: RunId
    revision: int
    stage: str
    epoch: int
    state: StageState
    phases: tuple[Phase, ...]
    task_token: str | None = None
    instance_id: str | None = None
    user_id: Annotated[
        str | None, Field(description="`aws:userid` of the credentials its machine writes with")
    ] = None
    secret_sha256: Annotated[
        Sha256 | None, Field(description="of the secret that proves the epoch's messages")
    ] = None
    attempts: Annotated[
        tuple[str, ...],
        Field(description="prefixes in which machines of earlier epochs wrote, oldest first"),
    ] = ()
    instance_type: str | None = None
    purchase: Literal["spot", "on-demand"] | None = None
    availability_zone: str | None = None
    executor: ExecutorName = "ec2"
    launched_at: Moment | None = None
    claimed_at: Moment | None = None
    first_launched_at: Annotated[
        Moment | None, Field(description="the stage's first instance, of any epoch")
    ] = None
    last_beat: Annotated[Moment | None, Field(description="by the worker's clock")] = None
    heard_at: Annotated[
        Moment | None,
        Field(description="when that heartbeat was received, by the control plane's clock"),
    ] = None
    heard_beat: Annotated[Moment | None, Field(description="the last heartbeat received")] = None
    silent_sweeps: Annotated[
        int, Field(ge=0, description="sweeps that found it overdue and could write that down")
    ] = 0
    silent_at: Annotated[Moment | None, Field(description="the last of those sweeps")] = None
    noted_at: Annotated[
        Moment | None, Field(description="which of its machine's notes was read last")
    ] = None
    progress: Progress | None = None
    progress_at: Annotated[
        Moment | None, Field(description="when the work last moved, of this epoch")
    ] = None
    stalled_at: Annotated[
        Moment | None, Field(description="when the notice of the stall was sent")
    ] = None
    interruptions: int = 0
    errors: int = 0
    waits: Annotated[int, Field(description="times no instance was available")] = 0
    deploy_waits: Annotated[
        int, Field(description="those of them when what a deploy made did not show yet")
    ] = 0
    full_disks: Annotated[int, Field(description="epochs whose machine had too small a disk")] = 0
    full_hosts: Annotated[
        int, Field(description="those of them whose machine was a job on a host of AWS Batch")
    ] = 0
    blameless: Annotated[
        tuple[int, ...],
        Field(
            description="epochs that no unit of the work ended: the machine was reclaimed, its "
            "disk was full, or a service was away for longer than it could wait"
        ),
    ] = ()
    error: Annotated[str | None, Field(description="class name of what ended the epoch")] = None
    problem: Problem | None = None
    why: Annotated[BesideText, Field(description="`problem`, by code")] = ()
    reclaimed: Annotated[
        tuple[str, ...], Field(description="pools (`type@zone`) that took a machine back")
    ] = ()
    reclaim_notice_at: Moment | None = None
    boot_deadline_s: int = 600
    beat_timeout_s: int = 300
    phase_deadline_s: int = 12 * 3600
    stall_after_s: int = 1800
    updated_at: Moment

    @property
    def key(self) -> StageKey:
        return StageKey(self.run_id, self.revision, self.stage)

    @property
    def attempt(self) -> str | None:
        """The prefix in which this epoch's machine writes; None while it is not known."""
        return s3_keys.attempt_prefix(*self.key, self.epoch, self.user_id) if self.user_id else None

    @property
    def all_attempts(self) -> tuple[str, ...]:
        """The prefixes of all machines, oldest first, with this epoch's."""
        return (*self.attempts, self.attempt) if self.attempt else self.attempts
