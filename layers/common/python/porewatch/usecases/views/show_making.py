"""What made a report: versions, parameters and phases, from the report itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from porewatch.domain.base import Model, Moment
from porewatch.domain.errors import NotFound
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Provenance
from porewatch.domain.rules.revisions import reported
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.spec import Phase
from porewatch.usecases.views.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects

MOST_BYTES = 16_000_000
"""Of a report that is read; a longer one is a download."""


class PhaseSpan(Answer):
    """When a phase was at work: `offset` and `share` of the time from the first to the last."""

    phase: Phase
    skipped: bool
    started_at: Moment
    seconds: float
    offset: float
    share: float


class Making(Answer):
    """`parameters`: every number that changes an answer, by name."""

    provenance: Provenance
    parameters: dict[str, str]
    phases: tuple[PhaseSpan, ...]


class _Parts(Model):
    """What is read of `report.json`."""

    provenance: Provenance
    phases: tuple[PhaseRecord, ...]


def show_making(record: RunRecord, *, reports: Objects) -> Making | None:
    """Of the newest completed revision. None without a report, and for one that has expired, that
    is too long, or that cannot be read."""
    shown = reported(record)
    key = shown.report_keys.get(REPORT) if shown else None
    if key is None:
        return None
    try:
        parts = _Parts.model_validate_json(reports.part(key, 0, MOST_BYTES))
    except (NotFound, ValidationError):
        return None
    numbers = parts.provenance.parameters.model_dump(mode="json")
    return Making(
        provenance=parts.provenance,
        parameters={name: str(value) for name, value in sorted(numbers.items())},
        phases=spans(parts.phases),
    )


def need_making(record: RunRecord, *, reports: Objects) -> Making:
    """The same. NotFound without a report that can be read."""
    found = show_making(record, reports=reports)
    if found is None:
        raise NotFound(f"run {record.run_id} has no report.", remedy="it comes with its end.")
    return found


def spans(phases: tuple[PhaseRecord, ...]) -> tuple[PhaseSpan, ...]:
    """In order of time."""
    if not phases:
        return ()
    first = min(phase.started_at for phase in phases)
    whole = (max(phase.finished_at for phase in phases) - first).total_seconds() or 1.0
    found = [
        PhaseSpan(
            phase=phase.phase,
            skipped=phase.status == "skipped",
            started_at=phase.started_at,
            seconds=max(0.0, (phase.finished_at - phase.started_at).total_seconds()),
            offset=(phase.started_at - first).total_seconds() / whole,
            share=max(0.0, (phase.finished_at - phase.started_at).total_seconds()) / whole,
        )
        for phase in phases
    ]
    return tuple(sorted(found, key=lambda span: span.started_at))
