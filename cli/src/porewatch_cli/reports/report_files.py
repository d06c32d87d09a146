"""The forms a report has: report.json, and pages in each language."""

from __future__ import annotations

from porewatch.domain.results.publishing import REPORT
from porewatch.domain.results.report import Report
from porewatch_worker.report.parts.i18n import in_language
from porewatch_worker.report.parts.languages import Language
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf


def report_files(language: Language) -> tuple[str, ...]:
    """Names of the files a reader of `language` wants, the page for the screen first."""
    return (in_language("report.html", language), in_language("report.pdf", language), REPORT)


def rendered(report: Report, name: str) -> bytes:
    """The page `name` in Japanese, made from the data."""
    return (
        render_html(report, "ja").encode() if name.endswith(".html") else render_pdf(report, "ja")
    )


def of_samples(names: set[str], where: str) -> str:
    """One line about the reports of single samples, however many there are."""
    many = "reports of single samples" if len(names) != 1 else "report of a single sample"
    return f"{'report-*.pdf':>14}  {len(names)} {many}: {where}"
