"""A run's history as text, from its facts."""

from __future__ import annotations

from collections.abc import Iterable

from porewatch.domain.facts import alert_facts, events, run_facts, stage_facts
from porewatch.domain.facts.fact import Fact
from porewatch.domain.stage.manifest import TimelineEntry


def timeline(facts: Iterable[Fact]) -> tuple[TimelineEntry, ...]:
    """One line for each fact that matters to a person, oldest first."""
    rank = {name: place for place, name in enumerate(events.FACTS)}  # in a run's own order
    ordered = sorted(facts, key=lambda f: (f.at, rank[type(f).__name__], f.fact_id))
    lines = ((fact, _line(fact)) for fact in ordered)
    return tuple(
        TimelineEntry(at=fact.at, what=line[0], detail=line[1])
        for fact, line in lines
        if line is not None
    )


def _line(fact: Fact) -> tuple[str, str] | None:
    match fact:
        case run_facts.RunSealed():
            return "run sealed", f"{fact.files} files, {fact.samples} samples, by {fact.sealed_by}"
        case run_facts.RunStarted():
            return "run started", f"profile {fact.profile}, bundle {fact.bundle}"
        case alert_facts.PathogenSuspected() | alert_facts.AboutAlert():
            return _alert_line(fact)
        case run_facts.RunRefused() | run_facts.RunFailed() | run_facts.RunCancelled():
            return "run ended without result", fact.problem
        case run_facts.RunCompleted():
            return "run completed", f"{fact.findings} findings"
        case _:
            return _stage_line(fact)


SETTLED: dict[type[Fact], str] = {
    alert_facts.SuspicionConfirmed: "suspicion confirmed",
    alert_facts.SuspicionWithdrawn: "suspicion withdrawn",
    alert_facts.SuspicionUnconfirmed: "suspicion unconfirmed",
}


def _alert_line(
    fact: alert_facts.PathogenSuspected | alert_facts.AboutAlert,
) -> tuple[str, str] | None:
    which = f"{fact.name} in {fact.sample}"
    match fact:
        case alert_facts.PathogenSuspected():
            return "pathogen suspected", f"{which}: {fact.reads} reads so far"
        case alert_facts.SuspicionConfirmed() | alert_facts.SuspicionWithdrawn():
            return SETTLED[type(fact)], f"{which}: {fact.rule}"
        case alert_facts.SuspicionUnconfirmed():
            return SETTLED[type(fact)], f"{which}: {fact.problem}"
        case alert_facts.AlertAcknowledged():
            return "alert acknowledged", f"{which}, by {fact.by}: {fact.note}"
        case alert_facts.AlertEscalated():
            return "alert escalated", f"{which}: nobody acknowledged it"
    return None


def _stage_line(fact: Fact) -> tuple[str, str] | None:
    match fact:
        case stage_facts.LaunchRefused():
            return f"{fact.stage}: no machine from {_rung(fact)}", _why(fact.problem, fact.then)
        case stage_facts.InstanceLaunched():
            where = f"{fact.instance_type}, {fact.purchase} in zone {fact.availability_zone}"
            return f"{fact.stage}: machine launched", f"{fact.instance_id}, {where}"
        case stage_facts.StageClaimed():
            return f"{fact.stage}: work began", f"epoch {fact.epoch} on {fact.instance_id}"
        case stage_facts.PhaseCompleted():
            return f"{fact.record.phase.value} {fact.record.status}", fact.record.reason
        case stage_facts.SpotInterrupted():
            done = fact.last_checkpoint
            safe = "nothing was kept yet" if done is None else f"kept up to unit {done}"
            return f"{fact.stage}: machine reclaimed", f"{fact.instance_id}; {safe}"
        case _:
            return _ending_line(fact)


def _rung(fact: stage_facts.LaunchRefused) -> str:
    """Batch names itself in `asked`; facts of earlier versions have no such text."""
    if not fact.asked:
        return f"{fact.executor} {fact.purchase}"
    return fact.asked if fact.executor == "batch" else f"EC2, {fact.asked}"


def _why(problem: str, then: str) -> str:
    return f"{problem}\nNext: {then.rstrip('.')}."


def _ending_line(fact: Fact) -> tuple[str, str] | None:
    match fact:
        case stage_facts.StageCompleted():
            return f"{fact.stage}: published", f"epoch {fact.epoch}"
        case stage_facts.StageFailed():
            then = "will be tried again" if fact.will_retry else "given up"
            reason = f"{fact.error}: {fact.problem}"
            return (
                f"{fact.stage}: failed, {then}",
                f"{reason}\n{fact.then}" if fact.then else reason,
            )
        case stage_facts.StageStalled():
            since = f"unit {fact.units_done} since {fact.still_since:%H:%M}Z"
            return f"{fact.stage}: stands still", f"{fact.instance_id} at {since}"
        case stage_facts.InstanceTerminated():
            spent = f"{fact.seconds:.0f} s, {fact.cost_usd:.4f} USD"
            return f"{fact.stage}: machine ended", f"{fact.instance_id} ({fact.reason}), {spent}"
        case _:
            return None
