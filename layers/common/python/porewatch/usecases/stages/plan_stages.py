"""The stages of a run: its profile, without the phases it does not need."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from porewatch.domain.errors import BasecallerMissing, Conflict
from porewatch.domain.facts.stage_facts import PhaseCompleted
from porewatch.domain.forecast.estimate import (
    InputSize,
    size_of,
    span_of,
)
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.rules.run_states import refuse_unless_running
from porewatch.domain.stage.disk_size import disk_gib
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.spec import Phase, Profile, StageSpec
from porewatch.domain.stage.state_machine_tasks import (
    Plan,
    Planned,
)
from porewatch.usecases.instances.stage_context import StageContext


def plan_stages(
    task: Plan,
    context: StageContext,
    *,
    profile: Callable[[str], Profile],
    basecalling: Literal["enabled", "disabled"],
) -> Planned:
    """The stages in order, each with its expected duration and disk size. Basecalled reads skip
    basecalling, and a fact records that.

    Raises ManifestRefused for an unknown profile, BasecallerMissing for raw signal without a
    basecaller, Conflict when the run was sealed by another manifest.
    """
    refuse_unless_running(context.runs.get(task.run_id), task.revision)
    sealed = context.runs.seal_note(task.run_id, task.revision)
    if sealed.manifest_digest != task.manifest_digest:
        raise Conflict(f"revision {task.revision} of {task.run_id} has another manifest.")
    manifest = context.manifests.of(task.run_id, task.revision)
    size = size_of(manifest.files, context.runs.files_of(task.run_id))
    stages = tuple(_expected(spec, size) for spec in profile(task.profile).stages)
    if not manifest.basecalled:
        if basecalling == "disabled":
            raise BasecallerMissing(
                "the run holds raw signal, and this stack has no basecaller.",
                file="run.json",
                remedy="send basecalled reads (FASTQ or BAM), or deploy with Basecalling=enabled.",
            )
        return Planned(stages=stages)
    context.stages.record([_skipped(task, context.at)])
    return Planned(stages=tuple(s for s in map(_without_basecalling, stages) if s is not None))


def _expected(spec: StageSpec, size: InputSize) -> StageSpec:
    estimates = {
        "p90_seconds": round(span_of(spec, size).high, 1),
        "disk_gib": disk_gib(spec, size.bytes),
    }
    return spec.model_copy(update=estimates)


def _without_basecalling(spec: StageSpec) -> StageSpec | None:
    phases = tuple(phase for phase in spec.phases if phase is not Phase.BASECALLING)
    return spec.model_copy(update={"phases": phases}) if phases else None


def _skipped(task: Plan, at: datetime) -> PhaseCompleted:
    phase = Phase.BASECALLING
    return PhaseCompleted(
        fact_id=PhaseCompleted.id_of(task.run_id, task.revision, phase.value, "skipped"),
        run_id=task.run_id,
        revision=task.revision,
        at=at,
        stage=phase.value,
        epoch=0,
        record=PhaseRecord(
            phase=phase,
            status="skipped",
            why=(because(RunCode.CAME_BASECALLED),),
            started_at=at,
            finished_at=at,
        ),
    )
