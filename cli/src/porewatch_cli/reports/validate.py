"""`porewatch validate`: run the validation pack locally; results as tables, JSON and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from porewatch_cli.links import file_link
from porewatch_cli.reports.summary import draw
from porewatch_cli.terminal import EXIT_FAILED, console, errors, print_json
from porewatch_worker.report.parts.document import Table
from porewatch_worker.report.summary import table_rows

if TYPE_CHECKING:
    from porewatch_worker.validation.result import Validation


def validate_here(size: str, out: Path | None, *, as_json: bool) -> None:
    """Run the pack; exit code 1 when a requirement is not met."""
    from porewatch_worker.validation.pack import validate  # noqa: PLC0415 - loads minimap2
    from porewatch_worker.validation.page import render_page  # noqa: PLC0415

    with _bar(disable=as_json) as bar:
        task = bar.add_task("generating genomes", total=None)

        def show_progress(done: int, total: int, what: str) -> None:
            bar.update(task, description=what, completed=done, total=total)

        result = validate(size, on_run=show_progress)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "validation.json").write_text(result.model_dump_json(indent=1) + "\n", "utf-8")
        (out / "validation.html").write_text(render_page(result), "utf-8")
    if as_json:
        print_json(result)
    else:
        _show(result, out)
    if not result.holds:
        raise typer.Exit(EXIT_FAILED)


def _show(v: Validation, out: Path | None) -> None:
    """Print the tables of the page."""
    from porewatch_worker.validation.page import validation_page  # noqa: PLC0415

    page = validation_page(v)
    console.print(Text(page.title, style="bold" if v.holds else "bold red"))
    console.print(Text(page.subtitle, style="dim"))
    for section in page.sections:
        for block in section.blocks:
            if isinstance(block, Table):
                console.print()
                console.print(draw(table_rows(block)))
    console.print()
    console.print(v.reads_told)
    if out is not None:
        console.print(file_link(out / "validation.html"), soft_wrap=True)


def _bar(*, disable: bool) -> Progress:
    return Progress(
        TextColumn("{task.description:>34}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        disable=disable,
        transient=True,
    )
