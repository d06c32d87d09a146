"""Commands about sample sheets: write a template, check a sheet before submitting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, ReleaseOption

app = group("Write or check a sample sheet.")


@command(
    app,
    "porewatch sheet template",
    "porewatch sheet template --layout full --samples 8 --out samples.csv",
)
def template(
    out: Annotated[
        Path | None, typer.Option("--out", help="output file (default: standard output)")
    ] = None,
    layout: Annotated[
        Literal["minimal", "full", "minknow"],
        typer.Option("--layout", help="columns: the required ones, all, or MinKNOW's"),
    ] = "minimal",
    release_policy: ReleaseOption = None,
    samples: Annotated[
        int, typer.Option("--samples", min=1, max=90, help="rows of samples, without controls")
    ] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write a sheet to fill in.

    It passes `porewatch sheet check` unchanged. It has a row for a positive control if the release
    policy requires one.
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
        typer.Option("--flow-cell", help="only the rows of this flow cell"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show every fault of a sheet, by row and column. Nothing is sent.

    Exit codes: 0 usable, 4 not usable.
    """
    from porewatch_cli import exit_codes
    from porewatch_cli.submit.sheet import check_sheet

    if not check_sheet(file, flow_cell, as_json=as_json):
        raise typer.Exit(exit_codes.REFUSED)
