"""Report -> Document: the first page, the details, the record, in this order."""

from __future__ import annotations

from porewatch.domain.findings import Call, Outcome
from porewatch.domain.report import Report
from porewatch.domain.runs import SampleRole
from porewatch_worker.report import numbers
from porewatch_worker.report.checklist import the_list
from porewatch_worker.report.decision import umbrellas
from porewatch_worker.report.document import Cell, Document, Facts
from porewatch_worker.report.found import findings
from porewatch_worker.report.front import OUTCOME_TONE, controls, found
from porewatch_worker.report.limits import could_be_seen, could_not_be_seen
from porewatch_worker.report.perv import perv
from porewatch_worker.report.record import record_sections
from porewatch_worker.report.samples import accounting, quality, samples

VERDICT = {
    Outcome.RELEASED: "Released",
    Outcome.RELEASED_WITH_REMARKS: "Released with remarks",
    Outcome.INVALID: "Invalid: not released",
}


def compose(report: Report) -> Document:
    """A pure function of the report."""
    return Document(
        title="Pathogen screening report",
        run_id=report.run_id,
        subtitle=f"Run {report.run_id}, revision {report.revision}, "
        f"reported {numbers.moment(report.created_at)}",
        synthetic=report.synthetic,
        verdict=Cell(VERDICT[report.outcome], tone=OUTCOME_TONE[report.outcome]),
        found=_found(report),
        decision=report.decision,
        remarks=report.remarks,
        facts=_facts(report),
        front=(found(report), controls(report), could_be_seen(report), could_not_be_seen(report)),
        body=(
            samples(report),
            accounting(report),
            quality(report),
            findings(report),
            *perv(report),
            the_list(report),
            *record_sections(report),
        ),
    )


def _found(report: Report) -> Cell:
    subjects = {s.name for s in report.samples if s.role is SampleRole.SAMPLE}
    groups = umbrellas(report.panel)
    calls = {
        call: {
            f.code
            for f in report.findings
            if f.call is call and f.sample in subjects and f.code not in groups
        }
        for call in Call
    }
    if calls[Call.DETECTED]:
        return Cell(f"{len(calls[Call.DETECTED])} detected", tone="bad")
    if calls[Call.INDETERMINATE]:
        return Cell(f"{len(calls[Call.INDETERMINATE])} indeterminate", tone="warn")
    if report.outcome is Outcome.INVALID:
        return Cell("No statement", tone="warn")
    if calls[Call.NOT_DETECTED]:
        return Cell("None detected", tone="plain")
    return Cell("Nothing screened", tone="warn")


def _facts(report: Report) -> Facts:
    reads = sum(screen.account.total for screen in report.screens)
    bases = sum(screen.quality.bases for screen in report.screens)
    subjects = sum(s.role is SampleRole.SAMPLE for s in report.samples)
    controls = len(report.samples) - subjects
    p = report.provenance
    return Facts(
        (
            (
                "Samples",
                f"{subjects}, {numbers.plural(controls, 'control') if controls else 'no controls'}",
            ),
            ("Reads", f"{numbers.count(reads)} ({numbers.bases(bases)})"),
            ("References", p.bundle + (" (SYNTHETIC)" if p.bundle_synthetic else "")),
            ("List", f"{p.panel}, version {p.panel_version}"),
            ("Basecalling", p.basecalling),
        )
    )
