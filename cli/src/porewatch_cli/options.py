"""Options and arguments that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from porewatch_worker.report.parts.languages import languages

if TYPE_CHECKING:
    from porewatch.domain.runs import ReadLimits


class Events(StrEnum):
    """What becomes of the events by which S3 says that an object is restored."""

    SENT = "sent"
    LOST = "lost"
    DOUBLED = "doubled"


RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="the run's id")]
RevisionOption = Annotated[
    int | None,
    typer.Option("--revision", min=0, help="revision of the run (default: the current one)"),
]
LabOption = Annotated[
    Path | None,
    typer.Option("--lab", help="lab.toml: laboratory, client, ... (default: the folder's own)"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON, for scripts")]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", help="a deployed stack (default: the embedded AWS of this folder)"),
]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="AWS profile of the stack")]


def _known(language: str) -> str:
    if language not in languages():
        raise typer.BadParameter(
            f"{language!r} has no catalogue; there are {', '.join(languages())}"
        )
    return language


LanguageOption = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="|".join(languages()),
        callback=_known,
        help="language of reports and terminal output",
    ),
]
ReleaseOption = Annotated[
    str | None,
    typer.Option("--release-policy", help="controls a run must have: default, donor-screening"),
]
ExitZeroOption = Annotated[
    bool,
    typer.Option("--exit-zero", help="exit with 0, not 3, when the results are not reportable"),
]
LengthOption = Annotated[
    int | None,
    typer.Option(
        "--min-read-length",
        min=40,
        max=100_000,
        help="minimum read length, in bases (default: 200; 90 for plasma and cfDNA)",
    ),
]
BlockOption = Annotated[
    int | None,
    typer.Option(
        "--min-block",
        min=40,
        max=10_000,
        help="minimum aligned block, in bases (default: 100; 60 for plasma and cfDNA)",
    ),
]
ByOption = Annotated[str | None, typer.Option("--by", help="your name (default: this login)")]
RegionOption = Annotated[str | None, typer.Option("--region", help="AWS region of the stack")]

ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server", help="a server's API, asked with your token instead of AWS credentials"
    ),
]


def read_limits(length: int | None, block: int | None) -> ReadLimits | None:
    """The read limits for all samples; None without either option."""
    if length is None and block is None:
        return None
    from porewatch.domain.runs import ReadLimits  # noqa: PLC0415 - takes long

    return ReadLimits(min_read_length=length, min_block=block)
