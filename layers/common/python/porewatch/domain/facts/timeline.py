"""A run's history, from its facts: reasons by code, which people read in their language."""

from __future__ import annotations

from collections.abc import Iterable

from porewatch.domain.facts import alert_facts, events, run_facts, stage_facts
from porewatch.domain.facts.fact import Fact
from porewatch.domain.reasons.reason import Reason, Reasons, RunCode, because, original
from porewatch.domain.stage.manifest import TimelineEntry

Line = tuple[Reason, Reasons]
"""What happened, and more about it."""


def timeline(facts: Iterable[Fact]) -> tuple[TimelineEntry, ...]:
    """One line for each fact that matters to a person, oldest first."""
    rank = {name: place for place, name in enumerate(events.FACTS)}  # in a run's own order
    ordered = sorted(facts, key=lambda f: (f.at, rank[type(f).__name__], f.fact_id))
    lines = ((fact, _line(fact)) for fact in ordered)
    return tuple(
        TimelineEntry(at=fact.at, happened=(line[0],), details=line[1])
        for fact, line in lines
        if line is not None
    )


def _line(fact: Fact) -> Line | None:
    match fact:
        case run_facts.RunSealed():
            return because(RunCode.RUN_SEALED), _one(
                RunCode.SEALED_WITH, files=fact.files, samples=fact.samples, who=fact.sealed_by
            )
        case run_facts.RunStarted():
            return because(RunCode.RUN_STARTED), _one(
                RunCode.STARTED_WITH, profile=fact.profile, bundle=fact.bundle
            )
        case alert_facts.PathogenSuspected() | alert_facts.AboutAlert():
            return _alert_line(fact)
        case run_facts.RunRefused() | run_facts.RunFailed() | run_facts.RunCancelled():
            return because(RunCode.RUN_WITHOUT_RESULT), fact.why or original(fact.problem)
        case run_facts.RunCompleted():
            return because(RunCode.RUN_COMPLETED), _one(RunCode.FINDINGS, n=fact.findings)
        case _:
            return _stage_line(fact)


def _one(code: RunCode, /, **values: int | float | str | Reason | Reasons) -> Reasons:
    return (because(code, **values),)


SETTLED: dict[type[Fact], RunCode] = {
    alert_facts.SuspicionConfirmed: RunCode.SUSPICION_CONFIRMED,
    alert_facts.SuspicionWithdrawn: RunCode.SUSPICION_WITHDRAWN,
    alert_facts.SuspicionUnconfirmed: RunCode.SUSPICION_UNCONFIRMED,
}


def _alert_line(fact: alert_facts.PathogenSuspected | alert_facts.AboutAlert) -> Line | None:
    which = {"name": fact.name, "sample": fact.sample}
    match fact:
        case alert_facts.PathogenSuspected():
            so_far = _one(RunCode.READS_SO_FAR, **which, reads=fact.reads)
            return because(RunCode.PATHOGEN_SUSPECTED), so_far
        case alert_facts.SuspicionConfirmed() | alert_facts.SuspicionWithdrawn():
            why = fact.why or original(fact.rule)
            return because(SETTLED[type(fact)]), _one(RunCode.OF_SUSPICION, **which, why=why)
        case alert_facts.SuspicionUnconfirmed():
            why = original(fact.problem)
            return because(SETTLED[type(fact)]), _one(RunCode.OF_SUSPICION, **which, why=why)
        case alert_facts.AlertAcknowledged():
            by = _one(RunCode.ACKNOWLEDGED_BY, **which, by=fact.by, note=fact.note)
            return because(RunCode.ALERT_ACKNOWLEDGED), by
        case alert_facts.AlertEscalated():
            return because(RunCode.ALERT_ESCALATED), _one(RunCode.NOT_ACKNOWLEDGED, **which)
    return None


def _stage_line(fact: Fact) -> Line | None:
    match fact:
        case stage_facts.LaunchRefused():
            then = _one(RunCode.NEXT, what=fact.next or original(fact.then.rstrip(".")))
            happened = because(RunCode.NO_MACHINE_FROM, stage=fact.stage, rung=_rung(fact))
            return happened, (*(fact.why or original(fact.problem)), *then)
        case stage_facts.InstanceLaunched():
            return because(RunCode.MACHINE_LAUNCHED, stage=fact.stage), _one(
                RunCode.LAUNCHED_AS,
                instance=fact.instance_id,
                type=fact.instance_type,
                purchase=fact.purchase,
                zone=fact.availability_zone,
            )
        case stage_facts.StageClaimed():
            on = _one(RunCode.EPOCH_ON, epoch=fact.epoch, instance=fact.instance_id)
            return because(RunCode.WORK_BEGAN, stage=fact.stage), on
        case stage_facts.PhaseCompleted():
            phase, status = fact.record.phase.value, fact.record.status
            return because(RunCode.PHASE_ENDED, phase=phase, status=status), fact.record.why
        case stage_facts.SpotInterrupted():
            return because(RunCode.MACHINE_INTERRUPTED, stage=fact.stage), _kept(fact)
        case _:
            return _ending_line(fact)


def _kept(fact: stage_facts.SpotInterrupted) -> Reasons:
    if fact.last_checkpoint is None:
        return _one(RunCode.NOTHING_KEPT, instance=fact.instance_id)
    return _one(RunCode.KEPT_UP_TO, instance=fact.instance_id, unit=fact.last_checkpoint)


def _rung(fact: stage_facts.LaunchRefused) -> Reasons:
    """Batch names itself in `asked`; facts of earlier versions have no such text."""
    rung = fact.rung_why or original(fact.asked)
    if not rung:
        return original(f"{fact.executor} {fact.purchase}")
    return rung if fact.executor == "batch" else _one(RunCode.ON_EC2, rung=rung)


def _ending_line(fact: Fact) -> Line | None:
    match fact:
        case stage_facts.StageCompleted():
            epoch = _one(RunCode.EPOCH, epoch=fact.epoch)
            return because(RunCode.STAGE_PUBLISHED, stage=fact.stage), epoch
        case stage_facts.StageFailed():
            code = RunCode.STAGE_RETRIED if fact.will_retry else RunCode.STAGE_GIVEN_UP
            why = fact.why or original(fact.problem)
            says = _one(RunCode.ERROR_SAYS, error=fact.error, why=why)
            return because(code, stage=fact.stage), (*says, *(fact.next or original(fact.then)))
        case stage_facts.StageStalled():
            return because(RunCode.STAGE_STALLED, stage=fact.stage), _one(
                RunCode.STILL_SINCE,
                instance=fact.instance_id,
                unit=fact.units_done,
                since=f"{fact.still_since:%H:%M}Z",
            )
        case stage_facts.InstanceTerminated():
            return because(RunCode.MACHINE_ENDED, stage=fact.stage), _one(
                RunCode.ENDED_AFTER,
                instance=fact.instance_id,
                why=fact.why or original(fact.reason),
                seconds=fact.seconds,
                usd=fact.cost_usd,
            )
        case _:
            return None
