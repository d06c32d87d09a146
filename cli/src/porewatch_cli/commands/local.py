"""Commands without a stack: screen and validate locally, start and stop the embedded AWS."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from porewatch import __version__
from porewatch.domain.reasons.catalogue import SOURCE
from porewatch_cli.commands.command import command
from porewatch_cli.options import (
    BlockOption,
    ExitZeroOption,
    JsonOption,
    LabOption,
    LanguageOption,
    LengthOption,
    ReleaseOption,
    read_limits,
)

app = typer.Typer()


@command(
    app,
    "porewatch screen reads.fastq.gz --references references --bundle pig@1 --out result",
    "porewatch screen a.bam b.bam --references pig/1 --sample-sheet samples.csv --out result",
)
def screen(
    reads: Annotated[list[Path], typer.Argument(help=".fastq(.gz) or .bam files")],
    references: Annotated[
        Path, typer.Option("--references", help="a bundle's folder, or the folder of bundles")
    ],
    out: Annotated[Path, typer.Option("--out", help="folder for the reports")],
    bundle: Annotated[str | None, typer.Option("--bundle", help="NAME@VERSION")] = None,
    sample_sheet: Annotated[Path | None, typer.Option("--sample-sheet")] = None,
    lab: LabOption = None,
    threads: Annotated[int, typer.Option("--threads", min=1)] = 2,
    release_policy: ReleaseOption = None,
    min_read_length: LengthOption = None,
    min_block: BlockOption = None,
    language: LanguageOption = SOURCE,
    exit_zero: ExitZeroOption = False,
    as_json: JsonOption = False,
) -> None:
    """Screen reads on this computer, without the cloud.

    Same phases, same report; resumes after a kill.

    Exit codes: 0 reportable, 3 not reportable, 4 refused, 5 failed.
    """
    from porewatch.domain.calls.release_policy import DEFAULT
    from porewatch.domain.errors import InputRefused
    from porewatch_cli import exit_codes
    from porewatch_cli.reports.screen import screen_here

    if not reads:
        raise InputRefused("no reads given.", remedy="give at least one .fastq.gz or .bam.")
    report = screen_here(
        reads,
        references=references,
        out=out,
        bundle=bundle,
        sample_sheet=sample_sheet,
        lab=lab,
        threads=threads,
        as_json=as_json,
        language=language,
        release_policy=DEFAULT if release_policy is None else release_policy,
        read_limits=read_limits(min_read_length, min_block),
    )
    if code := exit_codes.of_outcome(report.outcome, exit_zero=exit_zero):
        raise typer.Exit(code)


@command(
    app,
    "porewatch validate",
    "porewatch validate --size medium --out FOLDER",
)
def validate(
    size: Annotated[
        Literal["small", "medium", "full"],
        typer.Option("--size", help="full takes several minutes"),
    ] = "small",
    out: Annotated[
        Path | None, typer.Option("--out", help="also write validation.json and .html here")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Screen simulated runs of known composition.

    Agreement and LOD95; exit code 1 if too low.
    """
    from porewatch_cli.reports.validate import validate_here

    validate_here(size, out, as_json=as_json)


@command(
    app,
    "porewatch up",
)
def up(as_json: JsonOption = False) -> None:
    """Start the embedded AWS of this folder and deploy to it."""
    from porewatch_cli.operate.embedded import run_embedded

    raise typer.Exit(run_embedded("up", as_json))


@command(
    app,
    "porewatch down",
)
def down(as_json: JsonOption = False) -> None:
    """Stop the embedded AWS; runs and reports stay on disk."""
    from porewatch_cli.operate.embedded import run_embedded

    raise typer.Exit(run_embedded("down", as_json))


@command(
    app,
    "porewatch version",
)
def version(as_json: JsonOption = False) -> None:
    """Print the version."""
    shown = json.dumps({"version": __version__}) if as_json else f"porewatch {__version__}"
    sys.stdout.write(f"{shown}\n")
