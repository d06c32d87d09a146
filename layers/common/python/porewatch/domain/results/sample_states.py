"""`samples.json`: how each pathogen stands in each sample of a run. Made from the report when it is
published, small enough to read for many runs at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.findings import Finding, Outcome, Quantity
from porewatch.domain.calls.panel import Severity, umbrellas
from porewatch.domain.calls.standing import FOUND, Standing, standing
from porewatch.domain.identity import Day
from porewatch.domain.reasons.reason import Code, Reasons, because
from porewatch.domain.results.report import Report
from porewatch.domain.runs import Sample, SampleRole


class Amount(Model):
    """A value with its 95 % interval; `value` None: only a bound is known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str


class Result(Model):
    """One pathogen in one sample. `withheld`: found in a sample that is not reportable. `limit`:
    what would have been detected in 95 of 100 (LOD95)."""

    code: str
    standing: Standing
    withheld: bool = False
    amounts: tuple[Amount, ...] = ()
    limit: Amount | None = None
    why: Reasons = ()


class Member(Model):
    """A pathogen of the list."""

    name: str
    severity: Severity


class SampleState(Model):
    """One sample or control. A member of the list that is not in `results` was not tested."""

    sample: str
    role: SampleRole = SampleRole.SAMPLE
    animal: Annotated[str | None, Field(description="None: known by the sample's name")] = None
    species: str | None = None
    tissue: str | None = None
    collected: Day | None = None
    batch: str | None = None
    outcome: Outcome
    why: Reasons = ()
    results: tuple[Result, ...] = ()

    @property
    def subject(self) -> str:
        """The animal, or what stands for it."""
        return self.animal or self.sample

    def governs(self, other: SampleState) -> bool:
        """Whether this control speaks for `other`."""
        return self.batch is None or self.batch == other.batch


class RunStates(Model):
    """All samples of a revision. `members`: of the list and of the bundle; no groups, which are
    counted by their members."""

    schema_version: Literal["1"] = "1"
    run_id: str
    revision: int
    members: dict[str, Member]
    samples: tuple[SampleState, ...]


def states_of(report: Report) -> RunStates:
    """A sample without an outcome is not reportable: silence is no approval."""
    groups = umbrellas(report.panel)
    members = {e.code: Member(name=e.name, severity=e.severity) for e in report.panel}
    members |= {f.code: Member(name=f.name, severity=f.severity) for f in report.findings}
    return RunStates(
        run_id=report.run_id,
        revision=report.revision,
        members={code: one for code, one in sorted(members.items()) if code not in groups},
        samples=tuple(_sample(report, sample, groups) for sample in report.samples),
    )


def _sample(report: Report, sample: Sample, groups: frozenset[str]) -> SampleState:
    outcome = report.outcome_of(sample.name)
    none = (because(Code.NO_OUTCOME),)
    why = next((o.why for o in report.outcomes if o.sample == sample.name), none)
    mine = [f for f in report.findings if f.sample == sample.name and f.code not in groups]
    results = [_result(finding, outcome) for finding in mine]
    return SampleState(
        sample=sample.name,
        role=sample.role,
        animal=sample.animal,
        species=sample.species,
        tissue=sample.tissue,
        collected=sample.collected,
        batch=sample.batch,
        outcome=outcome,
        why=why,
        results=tuple(r for r in results if r.standing is not Standing.NOT_TESTED),
    )


def _result(finding: Finding, outcome: Outcome) -> Result:
    stands = standing(finding.call, outcome)
    found = stands in FOUND
    limit = finding.lod95 if stands is Standing.NOT_DETECTED else None
    return Result(
        code=finding.code,
        standing=stands,
        withheld=found and outcome is Outcome.NOT_REPORTABLE,
        amounts=tuple(map(_amount, finding.quantities)) if found else (),
        limit=_amount(limit) if limit and limit.value is not None else None,
        why=finding.why if found else (),
    )


def _amount(quantity: Quantity) -> Amount:
    return Amount(value=quantity.value, low=quantity.low, high=quantity.high, unit=quantity.unit)
