"""`porewatch compare`: what changed between two runs, or two report.json files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from porewatch.domain.errors import InputRefused
from porewatch.domain.plain import say
from porewatch.domain.report import Report
from porewatch_cli.summary import draw
from porewatch_cli.terminal import console, print_json
from porewatch_worker.report.compare import compare
from porewatch_worker.report.compare_page import compare_page, render_comparison
from porewatch_worker.report.document import Table
from porewatch_worker.report.speech import LANGUAGES, Language
from porewatch_worker.report.summary import table_rows


def compare_runs(
    before: str,
    after: str,
    *,
    fetch: Callable[[str], Report],
    out: Path | None,
    language: Language,
    as_json: bool,
) -> None:
    """Tables in the terminal; with `out`, a page in each language. `fetch` knows runs by id."""
    told = compare(_report(before, fetch), _report(after, fetch))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for spoken in LANGUAGES:
            mark = "" if spoken == "en" else f".{spoken}"
            page = out / f"compare{mark}.html"
            page.write_text(render_comparison(told, spoken), encoding="utf-8")
    if as_json:
        print_json(told)
        return
    shown = compare_page(told, language)
    console.print(f"[bold]{shown.title}[/]: {shown.subtitle}", highlight=False)
    for section in shown.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                console.print()
                console.print(draw(table_rows(block)))


def _report(given: str, fetch: Callable[[str], Report]) -> Report:
    """A path (or a folder with a report.json), else a run's id."""
    path = Path(given)
    path = path / "report.json" if path.is_dir() else path
    if not path.is_file():
        return fetch(given)
    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as e:
        raise InputRefused(
            f"this is no report: {say(e)}.",
            file=str(path),
            remedy="name a report.json that `porewatch screen` or `porewatch report` wrote.",
        ) from e
