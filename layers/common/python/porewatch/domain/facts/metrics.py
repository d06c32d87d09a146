"""What a fact adds to the metrics: the pure part of `metric_calculator`."""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.facts.alert_facts import AlertEscalated, PathogenSuspected, SuspicionWithdrawn
from porewatch.domain.facts.fact import Fact
from porewatch.domain.facts.run_facts import (
    FileQuarantined,
    FileValidated,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunStands,
)
from porewatch.domain.facts.stage_facts import (
    InstanceTerminated,
    PhaseCompleted,
    SpotInterrupted,
    StageFailed,
    StageStalled,
)

Unit = Literal["Count", "Seconds", "None"]


class Measure(Model):
    """One value of one metric. USD has no unit in CloudWatch: it is "None"."""

    name: str
    value: float
    unit: Unit = "Count"
    at: Moment
    dimensions: dict[str, str] = {}


COUNTED: dict[type[Fact], str] = {
    FileValidated: "FilesValidated",
    FileQuarantined: "FilesQuarantined",
    SpotInterrupted: "Interruptions",
    StageFailed: "StageFailures",
    StageStalled: "Stalls",
    PathogenSuspected: "PathogensSuspected",
    SuspicionWithdrawn: "SuspicionsWithdrawn",
    AlertEscalated: "AlertsEscalated",
    RunCompleted: "RunsCompleted",
    RunFailed: "RunsFailed",
    RunRefused: "RunsRefused",
    RunCancelled: "RunsCancelled",
    RunStands: "RunsStanding",
}
"""Facts that count as one of something."""


OUTCOMES: dict[Outcome, str] = {
    Outcome.REPORTABLE: "RunsReportable",
    Outcome.REPORTABLE_WITH_REMARKS: "RunsReportableWithRemarks",
    Outcome.NOT_REPORTABLE: "RunsNotReportable",
}
"""How many completed runs ended with which outcome."""


def measures_of(fact: Fact) -> tuple[Measure, ...]:
    """The measures one fact gives; none for facts that measure nothing."""
    counted = COUNTED.get(type(fact))
    own = (Measure(name=counted, value=1, at=fact.at),) if counted else ()
    return own + _amounts(fact)


def _amounts(fact: Fact) -> tuple[Measure, ...]:
    def one(name: str, value: float, unit: Unit = "Count", **dimensions: str) -> Measure:
        return Measure(name=name, value=value, unit=unit, at=fact.at, dimensions=dimensions)

    match fact:
        case FileValidated():
            counts = {"Reads": fact.reads, "Bases": fact.bases}
            return tuple(one(name, n) for name, n in counts.items() if n is not None)
        case PhaseCompleted(record=record):
            seconds = (record.finished_at - record.started_at).total_seconds()
            return (one("PhaseSeconds", seconds, "Seconds", Phase=record.phase.value),)
        case InstanceTerminated():
            spent = one("CostUsd", fact.cost_usd, "None")
            return one("StageSeconds", fact.seconds, "Seconds", Stage=fact.stage), spent
        case RunCompleted():
            return one("Findings", fact.findings), *_verdict(fact)
    return ()


def _verdict(fact: RunCompleted) -> tuple[Measure, ...]:
    if fact.verdict is None:
        return ()
    return (Measure(name=OUTCOMES[fact.verdict.outcome], value=1, at=fact.at),)
