"""Report -> Document: the first page, the details, the record, in this order."""

from __future__ import annotations

from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.panel import umbrellas
from porewatch.domain.results.report import Report
from porewatch_worker.report.pages.first_page import controls, found
from porewatch_worker.report.pages.first_sentence import Verdicts, decide
from porewatch_worker.report.pages.identity import letterhead
from porewatch_worker.report.pages.results.checklist import the_list
from porewatch_worker.report.pages.results.findings import findings, quantities
from porewatch_worker.report.pages.results.host import host, unknowns
from porewatch_worker.report.pages.results.limits import could_be_seen, could_not_be_seen
from porewatch_worker.report.pages.results.perv import perv
from porewatch_worker.report.pages.results.samples import accounting, quality, samples
from porewatch_worker.report.pages.run_record.phases_and_tools import record_sections
from porewatch_worker.report.pages.run_record.terms import explained
from porewatch_worker.report.pages.verdicts import badge, first_action, found_badge
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.document import Cell, Document, Facts, Section
from porewatch_worker.report.parts.i18n import (
    clauses,
    current_language,
    noted,
    say,
    speaking,
    texts_of,
)
from porewatch_worker.report.parts.languages import SOURCE, Language
from porewatch_worker.science.read.why_filtered import AGAIN

PAGE = ("skip", "banner_bold", "banner", "banner_short", "banner_label", "contents", "decision",
        "remarks", "letterhead", "research", "fonts", "spacing")  # fmt: skip


def compose(report: Report, language: Language = SOURCE) -> Document:
    """A pure function of the report, in one of the languages that message files exist for."""
    with speaking(language):
        return _compose(report)


def _compose(report: Report) -> Document:
    return first_page(
        report,
        title=say("report.title"),
        letterhead=letterhead(report.laboratory),
        front=(found(report), controls(report), could_be_seen(report), could_not_be_seen(report)),
        body=(
            samples(report),
            accounting(report),
            quality(report),
            host(report),
            findings(report),
            quantities(report),
            *perv(report),
            unknowns(report),
            the_list(report),
            *record_sections(report),
        ),
        explained=explained(),
    )


def first_page(
    report: Report,
    *,
    title: str,
    letterhead: Facts,
    front: tuple[Section, ...],
    body: tuple[Section, ...],
    explained: dict[str, str] | None = None,
) -> Document:
    """A report of a run or of one sample, with its decision box."""
    return Document(
        title=title,
        run_id=report.run_id,
        subtitle=say(
            "report.subtitle",
            run=report.run_id,
            revision=report.revision,
            at=numbers.moment(report.created_at),
        ),
        language=current_language(),
        labels=labels(report, title),
        letterhead=letterhead,
        synthetic=report.synthetic,
        verdict=badge(report),
        found=_found(report),
        decision=decision_of(report),
        action=first_action(report),
        remarks=texts_of(report.remark_reasons),
        facts=_facts(report),
        front=front,
        body=body,
        explained=explained or {},
    )


def labels(report: Report, title: str) -> dict[str, str]:
    """Fixed texts of the page: banners, contents, footer."""
    texts = {name: say(f"page.{name}") for name in PAGE}
    texts["browser"] = say("page.browser", title=title, run=report.run_id)
    return texts | {"footer": say("page.footer"), "page_of": say("page.page_of")}


def decision_of(report: Report) -> str:
    """The report's own decision; in other languages, recomputed from the same verdicts."""
    if current_language() == SOURCE:
        return report.decision
    return decide(
        Verdicts(
            samples=report.samples,
            outcomes=report.outcomes,
            findings=report.findings,
            panel=report.panel,
            synthetic=report.synthetic,
        )
    )


def _found(report: Report) -> Cell:
    subjects, groups = report.subjects, umbrellas(report.panel)
    calls = {
        call: {
            f.code
            for f in report.findings
            if f.call is call and f.sample in subjects and f.code not in groups
        }
        for call in Call
    }
    return found_badge(report, calls)


def _facts(report: Report) -> Facts:
    reads = sum(screen.account.total for screen in report.screens)
    split = sum(screen.account.split for screen in report.screens)
    again = sum(screen.account.filtered.get(AGAIN, 0) for screen in report.screens)
    bases = sum(screen.quality.bases for screen in report.screens)
    subjects = len(report.subjects)
    controls = len(report.samples) - subjects
    return Facts(
        (
            (
                say("head.samples"),
                say("fact.samples", samples=subjects, controls=numbers.plural(controls, "control"))
                if controls
                else say("fact.no_controls", samples=subjects),
            ),
            (
                say("head.reads"),
                numbers.reads(reads, split, again, bases),
            ),
            *provenance_facts(report).pairs,
        )
    )


def provenance_facts(report: Report) -> Facts:
    """What the answer was made with, in three lines."""
    p = report.provenance
    return Facts(
        (
            (say("head.references"), p.bundle + (" (SYNTHETIC)" if p.bundle_synthetic else "")),
            (say("head.list"), say("fact.list", name=noted(p.panel), version=p.panel_version)),
            (say("head.basecalling"), clauses(p.basecalled)),
        )
    )
