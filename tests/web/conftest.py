"""Reports that are made up, and their pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.results.report import Report
from porewatch_worker.report.assemble import assemble
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import render_comparison
from porewatch_worker.report.parts.languages import languages
from porewatch_worker.report.render_html import render_html
from porewatch_worker.validation.page import render_page
from tests.web import made_up
from tests.web.made_validation import made_validation

MADE_UP = {
    "rich": made_up.rich,
    "clean": made_up.clean,
    "empty": made_up.empty,
    "crowded": made_up.crowded,
    "quantified": made_up.quantified,
    "perv": made_up.with_perv,
    "many": made_up.twenty_four,
}


@pytest.fixture(scope="session")
def reports() -> dict[str, Report]:
    return {name: assemble(make()) for name, make in MADE_UP.items()}


@pytest.fixture(scope="session")
def pages(reports: dict[str, Report], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every made-up report as an HTML file in both languages, and a comparison of two."""
    folder = tmp_path_factory.mktemp("pages")
    for name, report in reports.items():
        (folder / f"{name}.html").write_text(render_html(report), encoding="utf-8")
        (folder / f"{name}.ja.html").write_text(render_html(report, "ja"), encoding="utf-8")
    told = compare(reports["clean"], reports["rich"])
    for language in languages():
        page = folder / f"compare.{language}.html"
        page.write_text(render_comparison(told, language), encoding="utf-8")
    (folder / "validation.html").write_text(render_page(made_validation()), encoding="utf-8")
    return {path.name.removesuffix(".html"): path for path in folder.iterdir()}
