"""A comparison for people: the same tables as one HTML page and in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.calls.evidence import Evidence
from porewatch.domain.calls.findings import Call
from porewatch_worker.report.compare import (
    AmountChange,
    Comparison,
    FindingChange,
    LoneFinding,
    SampleChange,
)
from porewatch_worker.report.compared_provenance import made_of
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell, Column, Page, Section, Table, Tone
from porewatch_worker.report.parts.i18n import current_language, member, named, say, speaking
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.report.parts.tones import CALL_TONE, OUTCOME_TONE, SEVERITY_TONE
from porewatch_worker.report.render_html import templates
from porewatch_worker.science.call.remarks import shown_code

CHANGE_TONE: dict[str, Tone] = {
    "appeared": "bad",
    "vanished": "warn",
    "call": "warn",
    "evidence": "plain",
}


def compare_page(comparison: Comparison, language: Language = SOURCE) -> Page:
    """A pure function of the comparison."""
    with speaking(language):
        return _page(comparison)


def render_comparison(comparison: Comparison, language: Language = SOURCE) -> str:
    """A self-contained HTML page."""
    page = compare_page(comparison, language)
    return templates().get_template("page.html.j2").render(doc=page)


def _page(comparison: Comparison) -> Page:
    subtitle = say(
        "compare.subtitle", before=comparison.before.run_id, after=comparison.after.run_id
    )
    return Page(
        title=say("compare.title"),
        subtitle=subtitle,
        language=current_language(),
        labels={
            "contents": say("page.contents"),
            "skip": say("compare.skip"),
            "browser": f"{say('compare.title')}: {subtitle}",
            "footer": say("compare.footer"),
            "research": say("page.research"),
            "banner_label": say("page.banner_label"),
            "banner_bold": say("page.banner_bold"),
            "banner": say("page.banner"),
        },
        synthetic=comparison.before.synthetic or comparison.after.synthetic,
        sections=(
            _runs(comparison),
            _section("findings", _findings(comparison)),
            *_lone(comparison),
            _section("amounts", _amounts(comparison)),
            _section("samples", _samples(comparison)),
            _section("made_of", made_of(comparison)),
        ),
    )


def _section(name: str, table: Table) -> Section:
    return Section(name, say(f"compare.{name}"), (table,))


def _runs(comparison: Comparison) -> Section:
    rows = tuple(
        (
            Cell(side.run_id, note=say("compare.revision", n=side.revision)),
            Cell(say(f"verdict.{side.outcome.value}"), tone=OUTCOME_TONE[side.outcome]),
            Cell(numbers.moment(side.created_at)),
            Cell(numbers.NOTHING if side.cost_usd is None else numbers.usd(side.cost_usd)),
        )
        for side in (comparison.before, comparison.after)
    )
    table = Table(
        caption=say("compare.runs_caption"),
        columns=(
            Column(say("head.run"), width=2.0),
            Column(say("head.outcome"), width=2.0),
            Column(say("head.moment"), width=2.0),
            Column(say("head.cost"), number=True, width=1.2),
        ),
        rows=rows,
    )
    return Section("runs", say("compare.runs"), (table,))


def _findings(comparison: Comparison) -> Table:
    return Table(
        caption=say("compare.findings_caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.member"), width=2.0),
            Column(say("head.severity"), width=0.9),
            Column(say("head.change"), width=1.3),
            Column(say("head.before"), width=2.0),
            Column(say("head.after"), width=2.0),
        ),
        rows=tuple(_finding_row(change) for change in comparison.findings),
        empty=say("compare.findings_none"),
    )


def _called(call: Call, proof: Evidence | None) -> Cell:
    """A call with the evidence in one line."""
    note = ""
    if proof:
        note = say(
            "compare.evidence",
            reads=numbers.plural(proof.reads, "read"),
            breadth=numbers.share(proof.breadth, 1),
            identity=numbers.share(proof.identity, 1),
        )
    return Cell(named("call", call.value), tone=CALL_TONE[call], note=note)


def _finding_row(c: FindingChange) -> tuple[Cell, ...]:
    blank = Cell(numbers.NOTHING)
    calls = (c.before, c.after)
    proofs = (c.evidence_before, c.evidence_after)
    sides = (
        _called(call, proof) if call else blank for call, proof in zip(calls, proofs, strict=True)
    )
    return (
        Cell(c.sample),
        Cell(shown_code(c.code, c.name), note=member(c.code, c.name)),
        Cell(named("severity", c.severity.value), tone=SEVERITY_TONE[c.severity.value]),
        Cell(say(f"change.{c.change}"), tone=CHANGE_TONE[c.change]),
        *sides,
    )


def lone_table(comparison: Comparison, *, after: bool) -> Table:
    """Findings in samples that one run alone holds."""
    side = comparison.after if after else comparison.before
    return Table(
        caption=say("compare.only_caption", run=side.run_id),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.member"), width=2.0),
            Column(say("head.severity"), width=0.9),
            Column(say("head.call"), width=3.0),
        ),
        rows=tuple(
            _lone_row(f) for f in (comparison.only_after if after else comparison.only_before)
        ),
        empty=say("compare.only_none"),
    )


def _lone_row(f: LoneFinding) -> tuple[Cell, ...]:
    return (
        Cell(f.sample),
        Cell(shown_code(f.code, f.name), note=member(f.code, f.name)),
        Cell(named("severity", f.severity.value), tone=SEVERITY_TONE[f.severity.value]),
        _called(f.call, f.evidence),
    )


def _lone(comparison: Comparison) -> Iterator[Section]:
    """A section for each run that holds a sample of its own."""
    absent = (None, None)
    alone = any(
        absent in ((s.outcome_before, s.reads_before), (s.outcome_after, s.reads_after))
        for s in comparison.samples
    )
    if not alone:
        return
    for after, name in ((False, "only_before"), (True, "only_after")):
        yield Section(name, say(f"compare.{name}"), (lone_table(comparison, after=after),))


def _amounts(comparison: Comparison) -> Table:
    return Table(
        caption=say("compare.amounts_caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.member"), width=1.2),
            Column(say("head.before"), number=True, width=2.0),
            Column(say("head.after"), number=True, width=2.0),
            Column(say("head.overlap"), width=1.4),
        ),
        rows=tuple(_amount_row(amount) for amount in comparison.amounts),
        empty=say("compare.amounts_none"),
    )


def _amount_row(a: AmountChange) -> tuple[Cell, ...]:
    verdict = {True: ("yes", "good"), False: ("no", "bad"), None: ("unknown", "plain")}
    overlap, tone = verdict[a.overlap]
    tones: dict[str, Tone] = {"good": "good", "bad": "bad", "plain": "plain"}
    return (
        Cell(a.sample),
        Cell(a.code),
        Cell(numbers.quantity(a.before), note=numbers.interval(a.before)),
        Cell(numbers.quantity(a.after), note=numbers.interval(a.after)),
        Cell(say(f"overlap.{overlap}"), tone=tones[tone]),
    )


def _samples(comparison: Comparison) -> Table:
    return Table(
        caption=say("compare.samples_caption"),
        columns=(
            Column(say("head.sample"), width=1.2),
            Column(say("head.outcome_before"), width=1.5),
            Column(say("head.outcome_after"), width=1.5),
            Column(say("head.reads"), number=True, width=1.5),
            Column(say("head.bases"), number=True, width=1.5),
            Column(say("head.host_share"), number=True, width=1.5),
            Column(say("head.mean_quality"), number=True, width=1.3),
        ),
        rows=tuple(_sample_row(sample) for sample in comparison.samples),
    )


def _sample_row(s: SampleChange) -> tuple[Cell, ...]:
    outcomes = (
        Cell(named("outcome", outcome.value), tone=OUTCOME_TONE[outcome])
        if outcome
        else Cell(say("compare.absent"))
        for outcome in (s.outcome_before, s.outcome_after)
    )
    return (
        Cell(s.sample),
        *outcomes,
        _pair(*(None if n is None else numbers.count(n) for n in (s.reads_before, s.reads_after))),
        _pair(*(None if n is None else numbers.bases(n) for n in (s.bases_before, s.bases_after))),
        _pair(*(None if h is None else numbers.share(h, 1) for h in (s.host_before, s.host_after))),
        _pair(*(None if q is None else f"{q:.1f}" for q in (s.quality_before, s.quality_after))),
    )


def _pair(before: str | None, after: str | None) -> Cell:
    one, other = before or numbers.NOTHING, after or numbers.NOTHING
    return Cell(one if one == other else f"{one} → {other}")
