"""Commands about sample sheets: one to begin with, and a check before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, ReleaseOption

app = group("Sample sheets: one to begin with, a check of yours.")


@command(
    app,
    "porewatch sheet template",
    "porewatch sheet template --layout full --samples 8 --out samples.csv",
)
def template(
    out: Annotated[
        Path | None, typer.Option("--out", help="write it here; default: standard output")
    ] = None,
    layout: Annotated[
        Literal["minimal", "full", "minknow"],
        typer.Option("--layout", help="columns: what a screen needs, all, or MinKNOW's own"),
    ] = "minimal",
    release_policy: ReleaseOption = None,
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=90, help="rows of samples, without controls")
    ] = 2,
    as_json: JsonOption = False,
) -> None:
    """A sheet to fill in: it passes `porewatch sheet check` as it is.

    A policy that reports nothing without a positive control gets a row for one.
    """
    from porewatch_cli.submit.sheet import write_template

    write_template(out, layout, release_policy, samples, as_json=as_json)


@command(
    app,
    "porewatch sheet check samples.csv",
)
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a sheet, CSV or TSV")],
    flow_cell: Annotated[
        str | None,
        typer.Option("--flow-cell", help="read the rows of this one, as a run of it would"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Everything that is wrong with a sheet, by row and column. Nothing is sent.

    Exit codes: 0 it can be used, 4 it cannot.
    """
    from porewatch_cli import exit_codes
    from porewatch_cli.submit.sheet import check_sheet

    if not check_sheet(file, flow_cell, as_json=as_json):
        raise typer.Exit(exit_codes.REFUSED)
