"""How far a run is: its stages and their machines, what it cost so far, and what happened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from porewatch.domain.base import Moment
from porewatch.domain.facts.timeline import timeline
from porewatch.domain.runs import RunState
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch.domain.stage.record import StageRecord, StageState
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.views.show_runs import Answer, RunView

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger

UNDER_WAY = frozenset({RunState.RECEIVING, RunState.SEALED, RunState.RUNNING})
"""States in which a page is worth asking for again."""
AT_WORK = frozenset({StageState.OPEN, StageState.LAUNCHED, StageState.CLAIMED})


class StageView(Answer):
    """A stage as people see it. `phase`: which one it is at; `units_total` None: not known."""

    stage: str
    phases: tuple[Phase, ...]
    state: StageState
    phase: Phase | None
    units_done: int
    units_total: int | None
    reads: int
    instance_id: str | None
    instance_type: str | None
    purchase: Literal["spot", "on-demand"] | None
    availability_zone: str | None
    launched_at: Moment | None
    heard_at: Moment | None
    interruptions: int
    errors: int
    waits: int
    problem: str | None
    updated_at: Moment


class RunProgress(Answer):
    """Stages in the order of their phases; history oldest first."""

    stages: tuple[StageView, ...]
    interruptions: int
    history: tuple[TimelineEntry, ...]


def show_progress(run: RunView, *, stages: StageLedger) -> RunProgress:
    """Of the revision that the run is at."""
    found = tuple(map(stage_view, in_order(stages.of_run(run.run_id, run.revision))))
    return RunProgress(
        stages=found,
        interruptions=sum(stage.interruptions for stage in found),
        history=timeline(stages.facts(run.run_id, run.revision)),
    )


def phases_now(runs: Iterable[RunView], *, stages: StageLedger) -> dict[str, Phase]:
    """Run -> the phase it is at, of those that run. (One read for each of these.)"""
    found = {}
    for run in runs:
        if run.state is RunState.RUNNING:
            records = in_order(stages.of_run(run.run_id, run.revision))
            if phase := next((p for r in records if (p := _phase(r)) is not None), None):
                found[run.run_id] = phase
    return found


def in_order(records: Iterable[StageRecord]) -> list[StageRecord]:
    places = {phase: place for place, phase in enumerate(Phase)}
    return sorted(records, key=lambda r: (places[r.phases[0]], r.stage))


def stage_view(record: StageRecord) -> StageView:
    progress = record.progress
    own = {name for name in StageView.model_fields if name in StageRecord.model_fields}
    return StageView.model_validate(
        {name: getattr(record, name) for name in own}
        | {
            "phase": _phase(record),
            "units_done": progress.units_done if progress else 0,
            "units_total": progress.units_total if progress else None,
            "reads": progress.reads if progress else 0,
        }
    )


def _phase(record: StageRecord) -> Phase | None:
    if record.state not in AT_WORK:
        return None
    return record.progress.phase if record.progress else record.phases[0]
