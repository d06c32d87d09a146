"""The files of a report: report.json, and pages in each language."""

from __future__ import annotations

from pathlib import Path

from porewatch.domain.reasons.catalogue import in_language, languages
from porewatch.domain.results.publishing import REPORT, TABLES
from porewatch.domain.results.report import Report
from porewatch_worker.report.parts.languages import Language
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf

PAGES = ("report.html", "report.pdf")


def report_files(language: Language) -> tuple[str, ...]:
    """Names of the files for a reader of `language`, the HTML page first."""
    return (*(in_language(name, language) for name in PAGES), REPORT)


def other_files(language: Language, folder: Path) -> tuple[str, ...]:
    """Names of the other files in `folder`: pages in other languages, and tables."""
    pages = [in_language(name, other) for other in languages() for name in PAGES]
    named = set(report_files(language))
    return tuple(n for n in (*pages, *TABLES) if n not in named and (folder / n).is_file())


def rendered(report: Report, name: str) -> bytes:
    """Render the page `name`, in the language of its name, from the report's data."""
    language = next(one for one in languages() if name in report_files(one))
    if name.endswith(".html"):
        return render_html(report, language).encode()
    return render_pdf(report, language)


def of_samples(names: set[str], where: str) -> str:
    """One line about all reports of single samples."""
    noun = "reports of single samples" if len(names) != 1 else "report of a single sample"
    return f"{'report-*.pdf':>14}  {len(names)} {noun}: {where}"
