"""Phases, the stages that group them on machines, and the fenced state of a stage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from porewatch.domain import s3_keys
from porewatch.domain.base import Count, Finite, Model, Moment, Problem, Sha256
from porewatch.domain.money.carbon import Factors
from porewatch.domain.money.cost import CostLine
from porewatch.domain.runs import RunId, RunManifest
from porewatch.domain.stage.instances import ExecutorName
from porewatch.domain.stage.quarantine import (
    QuarantinedUnit,
    QuarantineRules,
)


class Phase(StrEnum):
    """The six phases, in order."""

    BASECALLING = "basecalling"
    QUALITY_CONTROL = "quality_control"
    HOST_REMOVAL = "host_removal"
    PATHOGEN_DETECTION = "pathogen_detection"
    QUANTIFICATION = "quantification"
    REPORTING = "reporting"


class StageSpec(Model):
    """Consecutive phases that share a machine, and what that machine must offer."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,30}$")]
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]
    instance_types: Annotated[tuple[str, ...], Field(min_length=1)]
    wider_types: Annotated[
        tuple[str, ...], Field(description="tried on spot when none of `instance_types` is left")
    ] = ()
    prioritized: Annotated[
        bool, Field(description="the order of `instance_types` is the operator's priority")
    ] = False
    executor: ExecutorName = "ec2"
    vcpus: Annotated[int, Field(ge=1)] = 8
    memory_mib: Annotated[int, Field(ge=512)] = 30000
    gpu: bool = False
    disk_gib: Annotated[int, Field(description="least size; more when the input needs it")] = 100
    boot_deadline_s: int = 600
    beat_timeout_s: int = 300
    phase_deadline_s: int = 12 * 3600
    stall_after_s: Annotated[
        int, Field(ge=60, description="beats without any progress for so long are a stall")
    ] = 1800
    p90_seconds: Annotated[
        float | None, Field(description="how long its machine lives, nine times in ten")
    ] = None


class Profile(Model):
    """How a run is laid out on machines."""

    name: str
    stages: tuple[StageSpec, ...]


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
        Moment | None, Field(description="the stage's first machine, of whatever epoch")
    ] = None
    last_beat: Annotated[Moment | None, Field(description="by the worker's clock")] = None
    heard_at: Annotated[
        Moment | None, Field(description="when that beat was heard of, by the control plane's")
    ] = None
    heard_beat: Annotated[Moment | None, Field(description="which beat was heard of last")] = None
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
        Moment | None, Field(description="when somebody was told that it stands still")
    ] = None
    interruptions: int = 0
    errors: int = 0
    waits: Annotated[int, Field(description="times there was no machine to be had")] = 0
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


class TimelineEntry(Model):
    """One line of a run's history, for people."""

    at: Moment
    what: str
    detail: str = ""


class PhaseRecord(Model):
    """What one phase did: its own counts, tools and times."""

    phase: Phase
    status: Literal["completed", "skipped"]
    reason: str = ""
    backend: str = ""
    started_at: Moment
    finished_at: Moment
    counts: dict[str, Count] = {}
    tools: dict[str, str] = {}


class OutputFile(Model):
    """One output, by full key in the results bucket."""

    key: str
    sha256: Sha256
    size: int


class ScreeningParameters(Model):
    """Every number that changes an answer. Part of the checkpoint's fingerprint, printed with its
    digest in every report; docs/science/ says where each comes from."""

    min_read_length: int = 200
    min_mean_quality: float = 7.0
    panel_k: int = 13
    panel_w: int = 5
    min_block: int = 100
    min_identity: float = 0.70
    host_prefix: int = 1000
    host_identity: Annotated[
        float, Field(description="below it, the fit of the first bases leaves doubt")
    ] = 0.75
    host_share: Annotated[
        float, Field(description="of the bases looked at, that the host must cover to keep a read")
    ] = 0.5
    unit_reads: int = 4000
    detected_min_reads: int = 3
    detected_min_starts: int = 2
    min_spread: Annotated[
        float, Field(description="least breadth, as a share of what random reads would cover")
    ] = 0.6
    many_regions: Annotated[
        int, Field(description="separate regions that show a genome however unevenly it is read")
    ] = 10
    far_distance: Annotated[
        float,
        Field(
            description="share of its reads' bases, read errors apart, that may not fit a target"
        ),
    ] = 0.30
    near_distance: Annotated[
        float, Field(description="as near, a stretch or a few whole reads speak for themselves")
    ] = 0.10
    species_ani: Annotated[
        float, Field(description="ANI below which a large genome's reads get no species name")
    ] = 0.95
    conserved_cells: Annotated[
        float, Field(description="share of a relative's reads that may be near a large genome")
    ] = 0.10
    conserved_viruses: Annotated[
        float, Field(description="share of a relative's reads that may be near a smaller genome")
    ] = 0.01
    relative_chance: Annotated[
        float, Field(description="a relative is ruled out when as many near reads are less likely")
    ] = 0.001
    crossover: Annotated[
        float, Field(description="budget: share of a sample's reads found in another barcode")
    ] = 0.001
    crossover_chance: Annotated[
        float, Field(description="crossover is ruled out when it is less likely than this")
    ] = 0.001
    control_factor: Annotated[
        float, Field(description="times a finding must exceed its no-template control")
    ] = 10
    min_spike_reads: Annotated[
        int, Field(description="reads of a spike-in that show that the assay worked")
    ] = 3
    spike_cv: Annotated[
        float, Field(description="relative uncertainty of spike copies, where the sheet says none")
    ] = 0.10
    extraction_cv: Annotated[
        float, Field(description="relative uncertainty of recovery, where the sheet says none")
    ] = 0.20
    nucleic_acid_cv: Annotated[
        float, Field(description="relative uncertainty of the mass, where the sheet says none")
    ] = 0.25
    least_recovery: Annotated[
        float, Field(description="an extraction that is not stated recovers at least this share")
    ] = 0.10
    perv_margin: Annotated[
        float, Field(description="matched bases of env by which one PERV type must lead")
    ] = 20.0
    perv_lead: Annotated[float, Field(description="and as a share of the read's env bases")] = 0.03
    perv_mistyped: Annotated[
        float, Field(description="budget: share of env reads of one type given to another")
    ] = 0.001
    perv_junction_reads: Annotated[
        int, Field(description="reads and molecules that must break at one place of env")
    ] = 3
    perv_stray_chance: Annotated[
        float, Field(description="junctions elsewhere must explain a place less likely than this")
    ] = 0.001
    threads: Annotated[int, Field(ge=1, exclude=True)] = 2


class OrderTerms(Model):
    """All of an order but the manifest itself."""

    run_id: RunId
    revision: int
    stage: str
    phases: tuple[Phase, ...]
    manifest_digest: Annotated[
        Sha256 | None, Field(description="of the sealed manifest, which lies in S3 under it")
    ] = None
    bundle: str
    bundle_sha256: Annotated[
        Sha256 | None, Field(description="of its `bundle.json`; None: as the machine finds it")
    ] = None
    previous: Annotated[
        tuple[str, ...], Field(description="keys of the manifests of earlier stages, in order")
    ] = ()
    parameters: ScreeningParameters = ScreeningParameters()
    quarantine: QuarantineRules = QuarantineRules()
    timeline: tuple[TimelineEntry, ...] = ()
    bill_so_far: tuple[CostLine, ...] = ()
    price_snapshot: str = ""
    carbon_factors: Factors | None = None
    interruptions: Annotated[int, Field(description="of all stages of the run so far")] = 0
    attempts: Annotated[
        tuple[str, ...],
        Field(
            description="prefixes of the stage's earlier machines: none but their checkpoints count"
        ),
    ] = ()


class WorkOrder(OrderTerms):
    """A worker's order, complete."""

    manifest: RunManifest


class StoredOrder(OrderTerms):
    """An order as it lies at `places.order_key`; the epoch comes by tag. The manifest is read by
    its digest; one in here is for machine images that know no other place."""

    manifest: RunManifest | None = None

    def complete(self, manifest: RunManifest) -> WorkOrder:
        """The order with its manifest."""
        terms = {name: getattr(self, name) for name in OrderTerms.model_fields}
        return WorkOrder(**terms, manifest=manifest)


class StageManifest(Model):
    """What makes a stage's results visible: its worker writes a draft, the control plane checks
    that and writes it to `places.manifest_key` (conditional PUT, first one wins)."""

    run_id: RunId
    revision: int
    stage: str
    epoch: int
    fingerprint: str
    instance_id: str
    worker_version: str
    started_at: Moment
    finished_at: Moment
    phases: tuple[PhaseRecord, ...]
    outputs: dict[str, OutputFile]
    units: int = 0
    units_resumed: int = 0
    units_redone: int = 0
    quarantined: tuple[QuarantinedUnit, ...] = ()
    findings: int | None = None
