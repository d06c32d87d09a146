"""Which findings raise an alarm: the only rule for it, during the run and at its end.

A finding alarms when it is called detected, its severity is critical or high, and it is no positive
control's expected content (a control whose sheet states no code may hold anything). What the
sample's species carries in its genome is called endogenous, not detected, while it is within
expectation, so it alarms only beyond that. Rows for groups raise no alarm: their members do. A
sample's outcome suppresses no alarm; it is sent with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.findings import (
    Call,
    Finding,
    PervResult,
)
from porewatch.domain.calls.panel import (
    Panel,
    Severity,
    umbrellas,
)
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.science.call.perv_alarm import AC, ALARM_PAIR, ALARM_TYPE
from porewatch_worker.science.call.remarks import PERV

GRAVE = (Severity.CRITICAL, Severity.HIGH)


def alarms(
    findings: Iterable[Finding],
    samples: Sequence[Sample],
    panel: Panel,
    perv: Iterable[PervResult] = (),
) -> tuple[Alarm, ...]:
    """Alarms in the order of the findings."""
    perv_by_sample = {result.sample: result for result in perv}
    groups, expected = umbrellas(panel.entries), _Expected(samples, panel)
    found = [
        _alarm(finding, perv_by_sample.get(finding.sample))
        for finding in findings
        if finding.call is Call.DETECTED
        and finding.severity in GRAVE
        and finding.code not in groups
        and (finding.sample, finding.code) not in expected
    ]
    return (
        *found,
        *_without_a_row(perv_by_sample.values(), {(a.sample, a.code) for a in found}, expected),
    )


def grave_codes(panel: Panel) -> frozenset[str]:
    """Members of the panel that may alarm."""
    groups = umbrellas(panel.entries)
    return frozenset(e.code for e in panel.entries if e.severity in GRAVE and e.code not in groups)


class _Expected:
    """(sample, code) of what positive controls are there to show."""

    def __init__(self, samples: Sequence[Sample], panel: Panel) -> None:
        members = {e.code: e.members for e in panel.entries}
        self._codes = {
            sample.name: {
                code
                for stated in sample.expected_codes
                for code in (stated, *members.get(stated, ()))
            }
            for sample in samples
            if sample.role is SampleRole.POSITIVE_CONTROL
        }

    def __contains__(self, key: tuple[str, str]) -> bool:
        sample, code = key
        return sample in self._codes and (not self._codes[sample] or code in self._codes[sample])


def _alarm(finding: Finding, perv: PervResult | None) -> Alarm:
    reads, starts = _counted(finding, perv)
    by_reads = finding.evidence is not None and not _by_env(finding.code, perv)
    e = finding.evidence if by_reads else None
    return Alarm(
        sample=finding.sample,
        code=finding.code,
        name=finding.name,
        severity=finding.severity,
        reads=e.reads if e else reads,
        starts=e.distinct_starts if e else starts,
        breadth=e.breadth if e else None,
        identity=e.identity if e else None,
        rule=finding.rule,
        why=finding.why,
    )


def _by_env(code: str, perv: PervResult | None) -> bool:
    return code == f"{PERV}{ALARM_TYPE}" and perv is not None and perv.type_c is not None


def _counted(finding: Finding, perv: PervResult | None) -> tuple[int, int | None]:
    """Reads and distinct places that support a type or a recombinant."""
    if perv is None:
        return 0, None
    if finding.code == AC:
        mine = [
            s for s in perv.sites if {s.left, s.right} == ALARM_PAIR and s.call is Call.DETECTED
        ]
        return (mine[0].reads, mine[0].molecules) if mine else (0, None)
    counted = perv.counted.types.get(ALARM_TYPE)
    return (counted.reads, counted.starts) if counted else (0, None)


def _without_a_row(
    results: Iterable[PervResult], there: set[tuple[str, str]], expected: _Expected
) -> Iterator[Alarm]:
    """Type C called by env although the panel has no row for it."""
    code = f"{PERV}{ALARM_TYPE}"
    for perv in results:
        key = (perv.sample, code)
        if perv.type_c is Call.DETECTED and key not in there and key not in expected:
            counted = perv.counted.types[ALARM_TYPE]
            name = next(n for n in perv.types_told if n.endswith(ALARM_TYPE))
            yield Alarm(
                sample=perv.sample,
                code=code,
                name=name,
                severity=Severity.CRITICAL,
                reads=counted.reads,
                starts=counted.starts,
                rule=perv.type_c_rule,
                why=perv.type_c_why,
            )
