"""The forms a report has: report.json, and pages in each language."""

from __future__ import annotations

from pathlib import Path

from porewatch.domain.publishing import REPORT
from porewatch.domain.report import Report
from porewatch_worker.report.of_sample import file_keys
from porewatch_worker.report.render_html import render_html
from porewatch_worker.report.render_pdf import render_pdf, render_sample_pdf
from porewatch_worker.report.speech import LANGUAGES, Language


def forms(language: Language) -> tuple[str, ...]:
    """Names of the files a reader of `language` wants, the page for the screen first."""
    return (in_language("report.html", language), in_language("report.pdf", language), REPORT)


def in_language(name: str, language: Language) -> str:
    """`report.html` -> `report.ja.html`."""
    return name if language == "en" else name.replace(".", f".{language}.")


def rendered(report: Report, name: str) -> bytes:
    """The page `name` in Japanese, made from the data."""
    return (
        render_html(report, "ja").encode() if name.endswith(".html") else render_pdf(report, "ja")
    )


def save_samples(report: Report, out: Path) -> dict[str, Path]:
    """Write `report-KEY.pdf` of each sample that is no control, in every language, made from the
    data: whoever holds the run's report holds them too, so nothing more has to be published."""
    saved = {}
    for sample, key in file_keys(report).items():
        for language in LANGUAGES:
            name = in_language(f"report-{key}.pdf", language)
            (out / name).write_bytes(render_sample_pdf(report, sample, language))
            saved[name] = out / name
    return saved
