"""What the state machine `screen_run` sends and reads back (docs/state-machine.md), as models."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from porewatch.domain.base import Model, Problem
from porewatch.domain.reasons.reason import Reason
from porewatch.domain.runs import RunId
from porewatch.domain.stage.record import StageKey
from porewatch.domain.stage.spec import StageSpec


class _OfRun(Model):
    run_id: RunId
    revision: int


class Plan(_OfRun):
    action: Literal["plan"]
    manifest_digest: str
    profile: str


class Planned(Model):
    stages: Annotated[tuple[StageSpec, ...], Field(min_length=1)]


class Open(_OfRun):
    """`previous`: the manifest keys of the earlier stages, in order."""

    action: Literal["open"]
    spec: StageSpec
    previous: tuple[str, ...] = ()


class Opened(Model):
    """`manifest_key` is set when the stage is published already: then nothing is launched."""

    epoch: int
    manifest_key: str | None = None


class _OfEpoch(_OfRun):
    stage: str
    epoch: int

    @property
    def key(self) -> StageKey:
        return StageKey(self.run_id, self.revision, self.stage)


class Await(_OfEpoch):
    action: Literal["await"]
    task_token: str


class Launch(_OfRun):
    epoch: int
    spec: StageSpec

    @property
    def key(self) -> StageKey:
        return StageKey(self.run_id, self.revision, self.spec.name)


class Launched(Model):
    """`instance_id` is empty when the stage ended before a machine was needed."""

    instance_id: str


OUTCOMES = frozenset({"published", "interrupted", "failed"})
"""How an epoch ended, as the state machine names it."""


class Terminate(_OfEpoch):
    """`reason`: one of `OUTCOMES`, or a text; `why`: the text by code."""

    reason: str
    why: Reason | None = None


class Terminated(Model):
    instance_ids: tuple[str, ...]


class Decide(_OfEpoch):
    """What to do about a stage that failed."""

    action: Literal["decide"]
    error: str
    cause: str = ""


class Decided(Model):
    decision: Literal["retry", "fail"]
    reason: str
    wait_seconds: int


class FailRun(_OfRun):
    action: Literal["fail_run"]
    stage: str | None = None
    epoch: int | None = None
    error: str
    cause: str = ""


class RunEnded(Model):
    error: str
    problem: Problem


class Finish(_OfRun):
    """The task of result_aggregator and of report_generator: `manifests` = keys, in stage order."""

    manifests: tuple[str, ...]


class Aggregated(Model):
    results_key: str
    findings: int


class Published(Model):
    report_keys: dict[str, str]


StageTask = Annotated[Plan | Open | Await, Field(discriminator="action")]
STAGE_TASK: TypeAdapter[StageTask] = TypeAdapter(StageTask)
ErrorTask = Annotated[Decide | FailRun, Field(discriminator="action")]
ERROR_TASK: TypeAdapter[ErrorTask] = TypeAdapter(ErrorTask)


def sentence_of(cause: str) -> str:
    """The words for a person in a cause: Lambda's JSON names them `errorMessage`."""
    try:
        error = json.loads(cause)
    except ValueError:
        return cause.strip()
    if isinstance(error, dict) and error.get("errorMessage"):
        return str(error["errorMessage"]).strip()
    return cause.strip()
