"""What changed between two reports: verdict, calls, evidence, amounts, quality, controls, versions.

Samples are matched by name, panel members by code. Nothing is judged: both sides are shown, and
for amounts whether their 95 % intervals overlap. (Intervals that do not overlap show a difference;
ones that do overlap do not show that there is none.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.evidence import Evidence, SampleScreen
from porewatch.domain.calls.findings import Call, Finding, Outcome, Quantity
from porewatch.domain.calls.panel import (
    Severity,
    umbrellas,
)
from porewatch.domain.reasons.reason import Reasons
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_sentence import by_weight

Change = Literal["appeared", "vanished", "call", "evidence"]
FOUND = (Call.DETECTED, Call.INDETERMINATE)


class Side(Model):
    """One of the two runs."""

    run_id: str
    revision: int
    created_at: Moment
    outcome: Outcome
    decision: str
    synthetic: bool = False
    cost_usd: float | None


class LoneFinding(Model):
    """A panel member found in a sample that the other run does not hold: no change, just there."""

    sample: str
    code: str
    name: str
    severity: Severity
    call: Call
    evidence: Evidence | None


class FindingChange(Model):
    """A panel member whose call or evidence differs, in a sample that both runs hold. None: the
    run has no such row."""

    sample: str
    code: str
    name: str
    severity: Severity
    change: Change
    before: Call | None
    after: Call | None
    evidence_before: Evidence | None
    evidence_after: Evidence | None


class AmountChange(Model):
    """An amount that both runs state in the same unit by the same kind of method."""

    sample: str
    code: str
    unit: str
    before: Quantity
    after: Quantity
    overlap: Annotated[
        bool | None, Field(description="do the 95 % intervals overlap? None: one is missing")
    ]


class SampleChange(Model):
    """Outcome and quality of one sample; None where a run has no such sample."""

    sample: str
    outcome_before: Outcome | None
    outcome_after: Outcome | None
    reads_before: int | None
    reads_after: int | None
    bases_before: int | None
    bases_after: int | None
    host_before: Annotated[float | None, Field(description="share of the reads that passed")]
    host_after: Annotated[float | None, Field(description="share of the reads that passed")]
    quality_before: float | None
    quality_after: float | None


class MadeOf(Model):
    """Something both reports rest on that differs: a version, a digest, a parameter."""

    what: str
    before: str
    after: str
    before_why: Annotated[Reasons, Field(description="`before` by code, where it has codes")] = ()
    after_why: Annotated[Reasons, Field(description="`after` by code, where it has codes")] = ()


class Comparison(Model):
    """`porewatch compare A B --json`."""

    schema_version: Literal["1"] = "1"
    before: Side
    after: Side
    findings: tuple[FindingChange, ...]
    only_before: Annotated[
        tuple[LoneFinding, ...], Field(description="in samples that only the run before holds")
    ] = ()
    only_after: Annotated[
        tuple[LoneFinding, ...], Field(description="in samples that only the run after holds")
    ] = ()
    amounts: tuple[AmountChange, ...]
    samples: tuple[SampleChange, ...]
    made_of: tuple[MadeOf, ...]


def compare(a: Report, b: Report) -> Comparison:
    """`a` is the run before, `b` the one after."""
    return Comparison(
        before=_side(a),
        after=_side(b),
        findings=tuple(sorted(_findings(a, b), key=_weight)),
        only_before=_lone(a, _names(a) - _names(b)),
        only_after=_lone(b, _names(b) - _names(a)),
        amounts=tuple(_amounts(a, b)),
        samples=tuple(_samples(a, b)),
        made_of=tuple(_made_of(a, b)),
    )


def _side(report: Report) -> Side:
    return Side(
        run_id=report.run_id,
        revision=report.revision,
        created_at=report.created_at,
        outcome=report.outcome,
        decision=report.decision,
        synthetic=report.synthetic,
        cost_usd=report.bill.total_usd if report.bill else None,
    )


def _by_place(report: Report) -> dict[tuple[str, str], Finding]:
    return {(f.sample, f.code): f for f in report.findings}


def _findings(a: Report, b: Report) -> Iterator[FindingChange]:
    before, after = _by_place(a), _by_place(b)
    both = _names(a) & _names(b)
    for place in dict.fromkeys(p for p in (*before, *after) if p[0] in both):
        one, other = before.get(place), after.get(place)
        change = _change(one, other)
        known = other or one
        if change and known:
            yield FindingChange(
                sample=place[0],
                code=place[1],
                name=known.name,
                severity=known.severity,
                change=change,
                before=one.call if one else None,
                after=other.call if other else None,
                evidence_before=_slim(one),
                evidence_after=_slim(other),
            )


def _names(report: Report) -> set[str]:
    return {sample.name for sample in report.samples}


def _lone(report: Report, samples: set[str]) -> tuple[LoneFinding, ...]:
    """What was found in these samples, strongest call first; groups through their members."""
    groups = umbrellas(report.panel)
    mine = (f for f in report.findings if f.sample in samples and f.code not in groups)
    return tuple(
        LoneFinding(
            sample=f.sample, code=f.code, name=f.name, severity=f.severity, call=f.call,
            evidence=_slim(f),
        )
        for f in by_weight(f for f in mine if f.call in FOUND)
    )  # fmt: skip


def _change(one: Finding | None, other: Finding | None) -> Change | None:
    was, now = _found(one), _found(other)
    if one and other and Call.ENDOGENOUS in (one.call, other.call):
        return "call" if one.call is not other.call else None  # the host's own: never appeared
    if was != now:
        return "appeared" if now else "vanished"
    if one is None or other is None:
        return None
    if one.call is not other.call:
        return "call"
    return "evidence" if was and _slim(one) != _slim(other) else None


def _found(finding: Finding | None) -> bool:
    return finding is not None and finding.call in FOUND


def _slim(finding: Finding | None) -> Evidence | None:
    """The evidence without its plots."""
    if finding is None or finding.evidence is None:
        return None
    return finding.evidence.model_copy(update={"coverage": ()})


def _weight(change: FindingChange) -> tuple[int, int, str, str]:
    kinds = ("appeared", "vanished", "call", "evidence")
    severity = tuple(Severity).index(change.severity)
    return (kinds.index(change.change), severity, change.sample, change.code)


def _amounts(a: Report, b: Report) -> Iterator[AmountChange]:
    before = _by_place(a)
    for place, finding in _by_place(b).items():
        one = before.get(place)
        for q in finding.quantities:
            same = _same_kind(q, one.quantities if one else ())
            if same is not None:
                yield AmountChange(
                    sample=place[0],
                    code=place[1],
                    unit=q.unit,
                    before=same,
                    after=q,
                    overlap=overlap(same, q),
                )


def _same_kind(q: Quantity, among: Iterable[Quantity]) -> Quantity | None:
    """The amount in the same unit; of several, the one with the same basis."""
    alike = [other for other in among if other.unit == q.unit]
    return next((o for o in alike if o.basis == q.basis), alike[0] if alike else None)


def overlap(a: Quantity, b: Quantity) -> bool | None:
    """Whether the 95 % intervals share a value; a bound without a lower end begins at zero."""
    if a.high is None or b.high is None:
        return None
    return (a.low or 0.0) <= b.high and (b.low or 0.0) <= a.high


def _samples(a: Report, b: Report) -> Iterator[SampleChange]:
    outcomes = [{o.sample: o.outcome for o in r.outcomes} for r in (a, b)]
    screens = [{s.sample: s for s in r.screens} for r in (a, b)]
    for name in dict.fromkeys(s.name for r in (a, b) for s in r.samples):
        one, other = (screen.get(name) for screen in screens)
        yield SampleChange(
            sample=name,
            outcome_before=outcomes[0].get(name),
            outcome_after=outcomes[1].get(name),
            reads_before=one.quality.reads if one else None,
            reads_after=other.quality.reads if other else None,
            bases_before=one.quality.bases if one else None,
            bases_after=other.quality.bases if other else None,
            host_before=_host(one),
            host_after=_host(other),
            quality_before=one.quality.mean_quality if one else None,
            quality_after=other.quality.mean_quality if other else None,
        )


def _host(screen: SampleScreen | None) -> float | None:
    if screen is None:
        return None
    account = screen.account
    return account.host / account.passed if account.passed else None


def _made_of(a: Report, b: Report) -> Iterator[MadeOf]:
    before, after = _flat(a), _flat(b)
    for what in dict.fromkeys((*before, *after)):
        one, other = before.get(what, ""), after.get(what, "")
        if one != other:
            why = [_reasons(report, what) for report in (a, b)]
            yield MadeOf(what=what, before=one, after=other, before_why=why[0], after_why=why[1])


def _reasons(report: Report, what: str) -> Reasons:
    return report.provenance.basecalled if what == "basecalling" else ()


def _flat(report: Report) -> dict[str, str]:
    values = report.provenance.model_dump(mode="json", exclude={"basecalled"})
    for nested in ("tools", "parameters"):
        for name, value in values.pop(nested).items():
            values[f"{nested}.{name}"] = value
    values |= {f"sequencing.{k}": v for k, v in report.sequencing.model_dump(mode="json").items()}
    return {name: "" if value is None else str(value) for name, value in values.items()}
