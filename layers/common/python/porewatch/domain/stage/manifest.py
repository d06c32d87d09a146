"""What a stage has made: records of its phases, outputs, and the manifest that publishes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, computed_field, model_validator

from porewatch.domain import s3_keys
from porewatch.domain.base import Count, Model, Moment, Sha256
from porewatch.domain.errors import MessageRefused
from porewatch.domain.reasons.reason import Reasons, clauses, of_version_1, texts
from porewatch.domain.runs import RunId
from porewatch.domain.stage.quarantine import (
    QuarantinedUnit,
)
from porewatch.domain.stage.record import StageRecord
from porewatch.domain.stage.spec import Phase


class TimelineEntry(Model):
    """One line of a run's history: what happened, and more about it, one reason a line."""

    at: Moment
    happened: Annotated[Reasons, Field(description="what happened, by code")] = ()
    details: Annotated[Reasons, Field(description="more about it, by code, one a line")] = ()

    @computed_field(description="`happened` in English")  # type: ignore[prop-decorator]
    @property
    def what(self) -> str:
        return clauses(self.happened)

    @computed_field(description="`details` in English, one a line")  # type: ignore[prop-decorator]
    @property
    def detail(self) -> str:
        return "\n".join(texts(self.details))

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, what="happened", detail="details")


class PhaseRecord(Model):
    """What one phase did: its own counts, tools and times."""

    phase: Phase
    status: Literal["completed", "skipped"]
    why: Annotated[Reasons, Field(description="why it was skipped, or a remark, by code")] = ()
    how: Annotated[Reasons, Field(description="what it was done by, by code")] = ()
    started_at: Moment
    finished_at: Moment
    counts: dict[str, Count] = {}
    tools: dict[str, str] = {}

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def reason(self) -> str:
        return clauses(self.why)

    @computed_field(description="`how` in English")  # type: ignore[prop-decorator]
    @property
    def backend(self) -> str:
        return clauses(self.how)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, reason="why", backend="how")


class OutputFile(Model):
    """One output, by full key in the results bucket."""

    key: str
    sha256: Sha256
    size: int


class StageManifest(Model):
    """What makes a stage's results visible: its worker writes a draft, the control plane checks
    that and writes it to `s3_keys.manifest_key` (conditional PUT, first one wins)."""

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


def refuse_foreign(draft: StageManifest, record: StageRecord, attempt: str) -> None:
    """MessageRefused unless it is of this stage, of the epoch and the machine that own it, and each
    of its outputs lies below the machine's own prefix `attempt`, where no other could write it."""
    key = s3_keys.draft_key(attempt)
    if (draft.run_id, draft.revision, draft.stage) != record.key:
        raise MessageRefused("is the manifest of another stage.", file=key)
    if draft.epoch != record.epoch:
        problem = f"is the manifest of epoch {draft.epoch}, and {record.epoch} owns the stage."
        raise MessageRefused(problem, file=key)
    if draft.instance_id != record.instance_id:
        raise MessageRefused(
            f"is the manifest of {draft.instance_id}, and {record.instance_id} owns the stage.",
            file=key,
        )
    own = s3_keys.outputs_prefix(attempt)
    for name, output in sorted(draft.outputs.items()):
        if not output.key.startswith(own):
            raise MessageRefused(
                f"names {output.key} for {name}, which lies outside of {own}.", file=key
            )
