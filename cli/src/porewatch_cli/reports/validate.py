"""`porewatch validate`: the validation pack on this machine, as a table, JSON and a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from porewatch_cli.links import file_link
from porewatch_cli.terminal import EXIT_FAILED, console, errors, print_json, table

if TYPE_CHECKING:
    from porewatch_worker.validation.result import Validation


def validate_here(size: str, out: Path | None, *, as_json: bool) -> None:
    """Run the pack; exit code 1 when a requirement does not hold."""
    from porewatch_worker.validation.pack import validate  # noqa: PLC0415 - loads minimap2
    from porewatch_worker.validation.page import render_page  # noqa: PLC0415

    with _bar(disable=as_json) as bar:
        task = bar.add_task("making genomes", total=None)

        def tell(done: int, total: int, what: str) -> None:
            bar.update(task, description=what, completed=done, total=total)

        result = validate(size, tell=tell)
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
    from porewatch_worker.validation.page import limit_text, share_text  # noqa: PLC0415

    classes = table("By class (exact 95 % intervals)", "class", "PPA, 10 reads or more", "NPA",
                    "LOD95")  # fmt: skip
    for c in v.classes:
        row = (share_text(c.agreement), share_text(c.negative), limit_text(c.limit))
        classes.add_row(c.name, *row)
    overall = (share_text(v.positive), share_text(v.negative), limit_text(v.limit))
    classes.add_row("all", *overall, style="bold")
    sets = table("By set", "set", "samples", "agents detected", "others left alone", "false calls")
    for s in v.sets:
        false = ", ".join(s.false_calls) or "none"
        if s.right_alarms:
            false += f"; recombinant alarms {share_text(s.right_alarms)}"
        sets.add_row(s.name, str(s.samples), share_text(s.positive), share_text(s.negative), false)
    held = table(f"Requirements ({v.size}, {v.seconds:.0f} s)", "what", "measured", "holds")
    for r in v.requirements:
        held.add_row(r.says, r.measured, "yes" if r.holds else Text("no", style="bold red"))
    for shown in (classes, sets, held):
        console.print(shown)
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
