"""The last pages: the phases, the timeline, the cost, and what made this report."""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.results.report import Report
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch_worker.report.pages.results.not_screened import not_screened
from porewatch_worker.report.pages.run_record.cost import cost
from porewatch_worker.report.pages.run_record.release_and_signoff import trust_sections
from porewatch_worker.report.pages.run_record.terms import terms
from porewatch_worker.report.pages.run_record.timeline import timeline
from porewatch_worker.report.parts import numbers, plots
from porewatch_worker.report.parts.document import (
    Block,
    Cell,
    Column,
    Facts,
    Figure,
    Figures,
    Prose,
    Section,
    Table,
)
from porewatch_worker.report.parts.i18n import clauses, named, noted, say

MOST_FILES = 300
"""Most input files that pages list: ten thousand took four minutes to print."""


def record_sections(report: Report) -> tuple[Section, ...]:
    made = (phases(report), timeline(report), cost(report), provenance(report))
    *trust, last = trust_sections(report)
    return (*made, *trust, terms(), last)


def phases(report: Report) -> Section:
    alt = say("phases.alt")
    blocks: list[Block] = []
    if report.phases:
        figure = Figure(
            plots.phases_in_time(report.phases, label=alt),
            say("phases.figure"),
            alt,
        )
        blocks.append(Figures((figure,)))
    blocks.append(
        Table(
            caption=say("phases.caption"),
            columns=(
                Column(say("head.phase"), width=1.4),
                Column(say("head.status"), width=1.5),
                Column(say("head.began"), width=1.9),
                Column(say("head.took"), number=True, width=1),
                Column(say("head.counts"), width=3.4),
            ),
            rows=tuple(_phase_row(record) for record in report.phases),
            empty=say("phases.none"),
        )
    )
    return Section("phases", say("phases.title"), tuple(blocks))


def _phase_row(record: PhaseRecord) -> tuple[Cell, ...]:
    seconds = (record.finished_at - record.started_at).total_seconds()
    counts = say("list.joint").join(
        f"{named('counted', k)} {numbers.count(n)}" for k, n in sorted(record.counts.items())
    )
    tools = ", ".join(f"{name} {version}" for name, version in sorted(record.tools.items()))
    ran = record.status == "completed"
    return (
        Cell(named("phase", record.phase.value), note=clauses(record.how)),
        Cell(
            named("status", record.status),
            note=clauses(record.why),
            tone="good" if ran else "plain",
        ),
        Cell(numbers.moment(record.started_at)),
        Cell(numbers.duration(seconds) if ran else numbers.NOTHING),
        Cell(counts or numbers.NOTHING, note=tools),
    )


def provenance(report: Report) -> Section:
    p, s = report.provenance, report.sequencing
    unknown = say("word.unknown")
    made_of = Facts(
        (
            ("Porewatch", p.porewatch_version),
            (
                say("head.tools"),
                ", ".join(f"{k} {v}" for k, v in sorted(p.tools.items())) or unknown,
            ),
            (say("head.references"), p.bundle + (" (SYNTHETIC)" if p.bundle_synthetic else "")),
            (say("head.references_sha"), p.bundle_sha256),
            (say("head.list"), say("fact.list", name=noted(p.panel), version=p.panel_version)),
            (say("head.list_sha"), p.panel_sha256 or unknown),
            (say("head.manifest_sha"), p.manifest_sha256),
            (say("head.parameters_sha"), p.parameters_sha256),
            (say("head.basecalling"), clauses(p.basecalled)),
            (say("head.instrument"), s.instrument or unknown),
            (say("head.flow_cell"), s.flow_cell or unknown),
            (say("head.kit"), s.kit or unknown),
            (say("head.model"), s.basecall_model or unknown),
            (
                say("head.sequencing_began"),
                numbers.moment(s.started_at) if s.started_at else unknown,
            ),
            (say("head.acquisition"), s.acquisition_id or unknown),
        )
    )
    parts = (
        Section("parameters", say("parameters.title"), (_parameters(report),)),
        Section("inputs", say("inputs.title"), (*_inputs(report), not_screened(report))),
    )
    return Section("provenance", say("provenance.title"), (made_of,), parts)


def _parameters(report: Report) -> Facts:
    """Every number that changes an answer."""
    values = report.provenance.parameters.model_dump(mode="json")
    return Facts(tuple((named("parameter", name), f"{value:,}") for name, value in values.items()))


def _inputs(report: Report) -> Iterator[Block]:
    yield Table(
        caption=say("inputs.caption"),
        columns=(
            Column(say("head.file"), width=2.4, code=True),
            Column(say("head.barcode"), width=0.9),
            Column(say("head.bytes"), number=True, width=1),
            Column(say("head.sha"), width=3.4, code=True),
        ),
        rows=tuple(
            (
                Cell(f.path),
                Cell(f.barcode or numbers.NOTHING),
                Cell(numbers.count(f.size)),
                Cell(f.sha256 or say("word.not_given")),
            )
            for f in report.inputs[:MOST_FILES]
        ),
    )
    if len(report.inputs) > MOST_FILES:
        yield Prose(
            say(
                "inputs.more",
                shown=numbers.count(MOST_FILES),
                files=numbers.count(len(report.inputs)),
                size=numbers.count(sum(f.size for f in report.inputs)),
            )
        )
