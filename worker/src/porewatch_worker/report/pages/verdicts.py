"""Content of the decision box: outcomes by number, findings, first action."""

from __future__ import annotations

from collections import Counter

from porewatch.domain.calls.findings import Call, Finding, Outcome
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_sentence import by_weight
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell
from porewatch_worker.report.parts.i18n import named, noted, say
from porewatch_worker.report.parts.tones import OUTCOME_TONE
from porewatch_worker.science.call.perv_alarm import AC, ALARM_TYPE
from porewatch_worker.science.call.remarks import PERV, shown_code


def badge(report: Report) -> Cell:
    """The run's outcome; where samples differ, how many have which, in the tone of the worst."""
    outcomes = Counter(report.outcome_of(name) for name in report.subjects)
    if len(outcomes) < 2 or report.outcome is Outcome.NOT_REPORTABLE:
        return Cell(say(f"verdict.{report.outcome.value}"), tone=OUTCOME_TONE[report.outcome])
    parts = (
        say("verdict.of", n=numbers.count(outcomes[outcome]), what=named("outcome", outcome.value))
        for outcome in Outcome
        if outcomes[outcome]
    )
    worst = max(outcomes, key=list(Outcome).index)
    return Cell(say("verdict.joint").join(parts), tone=OUTCOME_TONE[worst])


def first_action(report: Report) -> str:
    """What to do about the worst finding in a sample; nothing when nothing was detected."""
    detected = report.detected
    worst = by_weight(
        f for f in report.findings if (f.sample, f.code) in detected and _actions(report, f)
    )
    if not worst:
        return ""
    what = " ".join(noted(action) for action in _actions(report, worst[0]))
    where = [f.sample for f in worst if f.code == worst[0].code]
    samples = say("list.and_more", shown=where[0], more=len(where) - 1) if where[1:] else where[0]
    code = shown_code(worst[0].code, worst[0].name)
    return say("decision.action", code=code, samples=samples, what=what)


def _actions(report: Report, f: Finding) -> tuple[str, ...]:
    """Of the row itself; an A/C recombinant has none of its own, and takes those of type C."""
    code = f"{PERV}{ALARM_TYPE}" if f.code == AC else f.code
    return next((e.actions for e in report.panel if e.code == code), ())


def found_badge(report: Report, codes: dict[Call, set[str]]) -> Cell:
    """Members by the strongest call that samples got."""
    if codes[Call.DETECTED]:
        return Cell(say("verdict.detected", n=len(codes[Call.DETECTED])), tone="bad")
    if codes[Call.INDETERMINATE]:
        return Cell(say("verdict.indeterminate", n=len(codes[Call.INDETERMINATE])), tone="warn")
    if report.outcome is Outcome.NOT_REPORTABLE:
        return Cell(say("verdict.no_statement"), tone="warn")
    if codes[Call.NOT_DETECTED]:
        return Cell(say("verdict.none_detected"), tone="plain")
    return Cell(say("verdict.nothing_screened"), tone="warn")
