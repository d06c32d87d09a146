"""The timeline: what happened to the run, in the language that is spoken.

A run's facts were told in English (`domain.facts.timeline`). What they say of phases and stages
has words of its own; what other programs wrote (AWS, a worker's last lines) is printed as they
wrote it, and marked as such.
"""

from __future__ import annotations

from porewatch.domain.results.report import Report
from porewatch.domain.stage.manifest import TimelineEntry
from porewatch.domain.stage.retry_policy import class_of
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell, Column, Section, Table
from porewatch_worker.report.parts.i18n import has_word, named, say, spoken
from porewatch_worker.report.parts.retold import retold


def timeline(report: Report) -> Section:
    ordered = sorted(report.timeline, key=lambda entry: entry.at)
    begin = ordered[0].at if ordered else report.created_at
    rows = tuple(
        (
            Cell(numbers.moment(entry.at)),
            Cell(f"+ {numbers.duration((entry.at - begin).total_seconds())}"),
            Cell(happened(entry.what)),
            _details(entry),
        )
        for entry in ordered
    )
    table = Table(
        caption=say("timeline.caption"),
        columns=(
            Column(say("head.moment"), width=2.2),
            Column(say("head.elapsed"), number=True, width=1.1),
            Column(say("head.what"), width=2.4),
            Column(say("head.detail"), width=3.6),
        ),
        rows=rows,
        empty=say("timeline.none"),
    )
    return Section("timeline", say("timeline.title"), (table,))


def happened(what: str) -> str:
    """`screen: published`, `quality_control completed`, `run sealed`."""
    phase, _, status = what.rpartition(" ")
    if has_word("phase", phase):
        return say("timeline.phase", phase=named("phase", phase), status=named("status", status))
    stage, _, rest = what.partition(": ")
    if rest and has_word("stage", stage):
        return say("timeline.stage", stage=named("stage", stage), what=retold(rest))
    return retold(what)


def _details(entry: TimelineEntry) -> Cell:
    """The first line is what happened, the others what is done about it."""
    first, *others = entry.detail.split("\n")
    return Cell(_line(first) or numbers.NOTHING, note=" ".join(_line(line) for line in others))


def _line(text: str) -> str:
    error, _, rest = text.partition(": ")
    if rest and class_of(error):
        return f"{error}: {_line(rest)}"
    told = retold(text)
    if spoken() == "en" or not text or told != text:
        return told
    return say("timeline.verbatim", text=text)
