"""One animal in time: its samples in the newest runs, what was found, with what limits, and what
the controls say."""

from __future__ import annotations

from porewatch.domain.base import Count, Moment
from porewatch.domain.calls.findings import Outcome
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.standing import FOUND, Standing
from porewatch.domain.identity import Day
from porewatch.domain.reasons.reason import Reasons
from porewatch.domain.results.sample_states import Amount, Result, RunStates, SampleState
from porewatch.domain.runs import SampleRole
from porewatch.usecases.views.recent_states import Recent, ScreenedRun
from porewatch.usecases.views.show_runs import Answer


class ControlView(Answer):
    """A control that speaks for the sample."""

    sample: str
    role: SampleRole
    outcome: Outcome


class ResultView(Answer):
    """One pathogen in the sample."""

    code: str
    name: str
    severity: Severity
    standing: Standing
    withheld: bool
    amounts: tuple[Amount, ...]
    limit: Amount | None
    why: Reasons


class SampleVisit(Answer):
    """The sample of one run. `untested`: how many members of the list it was not tested for."""

    run_id: str
    run: str
    at: Moment
    sample: str
    tissue: str | None
    collected: Day | None
    outcome: Outcome
    why: Reasons
    controls: tuple[ControlView, ...]
    found: tuple[ResultView, ...]
    absent: tuple[ResultView, ...]
    untested: int


class Point(Answer):
    """A pathogen in one sample, at one time."""

    at: Moment
    run_id: str
    standing: Standing
    withheld: bool
    amount: Amount | None
    limit: Amount | None


class Course(Answer):
    """A pathogen that was found in the animal, in time, oldest first."""

    code: str
    name: str
    points: tuple[Point, ...]


class Animal(Answer):
    """Newest visit first. Nothing when no run of the window has the animal."""

    subject: str
    species: str | None
    visits: tuple[SampleVisit, ...]
    courses: tuple[Course, ...]


class AnimalPage(Answer):
    """An animal in the newest runs of a project; `unread` and `next` as of `HerdPage`."""

    animal: Animal
    unread: Count
    next: str | None


def show_animal(recent: Recent, subject: str) -> Animal:
    mine = [
        (run, sample)
        for run, sample in recent.samples
        if sample.role is SampleRole.SAMPLE and sample.subject == subject
    ]
    visits = tuple(_visit(run, sample) for run, sample in mine)
    codes = {r.code: r.name for visit in reversed(visits) for r in visit.found}
    return Animal(
        subject=subject,
        species=next((s.species for _, s in mine if s.species), None),
        visits=visits,
        courses=tuple(_course(code, name, visits) for code, name in sorted(codes.items())),
    )


def _visit(run: ScreenedRun, sample: SampleState) -> SampleVisit:
    standings, severities = tuple(Standing), tuple(Severity)
    results = sorted(
        (_result(run.states, result) for result in sample.results),
        key=lambda r: (standings.index(r.standing), severities.index(r.severity), r.code),
    )
    found = tuple(r for r in results if r.standing in FOUND)
    return SampleVisit(
        run_id=run.run_id,
        run=run.name,
        at=run.completed_at,
        sample=sample.sample,
        tissue=sample.tissue,
        collected=sample.collected,
        outcome=sample.outcome,
        why=sample.why,
        controls=tuple(
            ControlView(sample=c.sample, role=c.role, outcome=c.outcome)
            for c in run.states.samples
            if c.role is not SampleRole.SAMPLE and c.governs(sample)
        ),
        found=found,
        absent=tuple(r for r in results if r.standing not in FOUND),
        untested=len(run.states.members) - len({r.code for r in sample.results}),
    )


def _result(states: RunStates, result: Result) -> ResultView:
    member = states.members[result.code]
    own = {name: getattr(result, name) for name in type(result).model_fields}
    return ResultView(name=member.name, severity=member.severity, **own)


def _course(code: str, name: str, visits: tuple[SampleVisit, ...]) -> Course:
    points = []
    for visit in reversed(visits):
        for result in (*visit.found, *visit.absent):
            if result.code == code:
                amount = result.amounts[0] if result.amounts else None
                points.append(
                    Point(
                        at=visit.at,
                        run_id=visit.run_id,
                        standing=result.standing,
                        withheld=result.withheld,
                        amount=amount,
                        limit=result.limit,
                    )
                )
    return Course(code=code, name=name, points=tuple(points))
