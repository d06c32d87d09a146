"""Phases, the stages that group them on instances, and the request for an instance of a stage."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.reasons.reason import Reason
from porewatch.domain.stage.instances import ExecutorName, Owner


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
        float | None, Field(description="90th percentile of its instance's lifetime")
    ] = None


class Profile(Model):
    """How a run is laid out on machines."""

    name: str
    stages: tuple[StageSpec, ...]


class LaunchRequest(Model):
    """An instance for one epoch of a stage. Executors make of it what they try, rung by rung."""

    owner: Owner
    stage: StageSpec
    at: Moment
    avoid: Annotated[
        tuple[str, ...],
        Field(description="pools (`type@zone`), interrupted or out of capacity: spot skips them"),
    ] = ()
    why: Annotated[Reason | None, Field(description="why spot is not used at all")] = None
