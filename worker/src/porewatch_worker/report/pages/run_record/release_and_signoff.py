"""Release policy and crosstalk, audit trail, and the block that a reviewer signs."""

from __future__ import annotations

from collections.abc import Mapping

from porewatch.domain.calls.findings import Crosstalk
from porewatch.domain.reasons.reason import Code, Reasons, because, verbatim
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.run_record.audit_trail import ANSWERS, EVENT, PHASE
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Block, Cell, Column, Facts, Prose, Section, Table
from porewatch_worker.report.parts.i18n import clauses, named, say, text_of

FIELDS = ("reviewer", "role", "date", "decision", "signature", "comment")
LINE = "_" * 32


def trust_sections(report: Report) -> tuple[Section, ...]:
    """What the report holds of these; a report of an older version has none."""
    made = (release(report), trail(report), sign_off(report))
    return tuple(section for section in made if section is not None)


def release(report: Report) -> Section | None:
    rules = report.release
    if rules is None:
        return None
    facts = Facts(
        (
            (say("release.policy"), f"{rules.policy} ({rules.version})"),
            (say("release.sha"), rules.sha256),
        )
    )
    table = Table(
        caption=say("release.crosstalk"),
        columns=(
            Column(say("head.sample"), width=1.4),
            Column(say("release.by"), width=2),
            Column(say("release.stray"), number=True, width=1.2),
            Column(say("head.share"), number=True, width=1.8),
            Column(say("release.budget"), number=True, width=1.2),
        ),
        rows=tuple(_stray(found) for found in report.crosstalk),
        empty=say("release.no_crosstalk"),
    )
    return Section("release", say("release.title"), (facts, table))


def _stray(found: Crosstalk) -> tuple[Cell, ...]:
    return (
        Cell(found.sample),
        Cell(text_of(because(Code.OTHER_BARCODE)) if found.basis == "ends" else found.marker),
        Cell(f"{numbers.count(found.stray_reads)} / {numbers.count(found.reads)}"),
        Cell(f"{found.share:.3%}", note=f"{found.low:.3%} - {found.high:.3%}"),
        Cell(f"{found.budget:.3%}", note=say("release.over") if found.over else ""),
    )


def trail(report: Report) -> Section | None:
    if report.audit is None:
        return None
    history = {entry.what: entry.happened for entry in report.timeline}
    table = Table(
        caption=say("audit.caption"),
        columns=(
            Column(say("audit.number"), number=True, width=0.5),
            Column(say("head.moment"), width=2.2),
            Column(say("head.what"), width=2.2),
            Column(say("audit.hash"), width=5.6, code=True),
        ),
        rows=tuple(
            (
                Cell(str(e.number)),
                Cell(numbers.moment(e.at) if e.at else numbers.NOTHING),
                Cell(_entry(e.what, history)),
                Cell(e.sha256),
            )
            for e in report.audit.entries
        ),
    )
    head = Facts(((say("audit.head"), report.audit.head),))
    blocks: tuple[Block, ...] = (Prose(say("audit.how")), head, table)
    return Section("audit", say("audit.title"), blocks)


def _entry(what: str, history: Mapping[str, Reasons]) -> str:
    """An entry's name in the current language; the trail itself is in English, so that its hashes
    do not depend on a reader. `history`: the timeline's events, by their English."""
    kind, _, rest = what.partition(": ")
    if kind == EVENT:
        return say("audit.event", what=clauses(history.get(rest, verbatim(rest))))
    if kind == PHASE:
        return say("audit.phase", what=named("phase", rest))
    return say("audit.answers" if what == ANSWERS else "audit.made_by")


def sign_off(report: Report) -> Section | None:
    block = report.sign_off
    if block is None:
        return None
    blank = tuple((say(f"sign.{name}"), getattr(block, name) or LINE) for name in FIELDS)
    signed = (
        (say("sign.report_sha"), block.report_sha256),
        (say("audit.head"), block.audit_head),
    )
    return Section("sign-off", say("sign.title"), (Facts((*signed, *blank)),))
