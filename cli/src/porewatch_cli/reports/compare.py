"""`porewatch compare`: what changed between two runs, or two report.json files."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from porewatch.domain.reasons.catalogue import in_language
from porewatch.domain.results.report import Report
from porewatch_cli.links import file_link
from porewatch_cli.reports.summary import draw
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.compare import Comparison, compare
from porewatch_worker.report.compare_page import compare_page, render_comparison
from porewatch_worker.report.parts.document import Table
from porewatch_worker.report.parts.languages import Language, languages
from porewatch_worker.report.summary import table_rows


def compare_runs(
    before: Report,
    after: Report,
    *,
    out: Path | None,
    language: Language,
    as_json: bool,
) -> None:
    """Print tables; with `out`, also write a page in each language."""
    comparison = compare(before, after)
    pages = [] if out is None else _written(comparison, out)
    if as_json:
        print_json(comparison)
        return
    shown = compare_page(comparison, language)
    if shown.synthetic:
        console.print(Text.assemble((shown.labels["banner_bold"], "bold"), shown.labels["banner"]))
    console.print(Text.assemble((shown.title, "bold"), f": {shown.subtitle}"))
    for section in shown.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                console.print()
                console.print(draw(table_rows(block)))
    for page in pages:
        console.print(file_link(page), soft_wrap=True)


def _written(comparison: Comparison, folder: Path) -> list[Path]:
    """Write a page in each language."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for language in languages():
        page = folder / in_language("compare.html", language)
        page.write_text(render_comparison(comparison, language), encoding="utf-8")
        pages.append(page)
    return pages
