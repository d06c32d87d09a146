"""`porewatch`: screen nanopore reads for pathogens, locally or in the cloud.

This file only registers the commands and their groups. Each command imports the module that does
its work when it runs.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from porewatch import __version__
from porewatch_cli.commands import (
    accounts,
    alerts,
    chaos,
    cost,
    local,
    references,
    registry,
    reports,
    retention,
    runs,
    sheet,
    stack,
    watch_folder,
)

app = typer.Typer(
    help="Screen nanopore reads for pathogens on interruptible cloud instances.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in boxes takes twice as long, and breaks the lines of examples
)
for commands in (runs, watch_folder, reports, alerts, retention, stack, local):
    app.add_typer(commands.app)
app.add_typer(references.app, name="references")
app.add_typer(sheet.app, name="sheet")
app.add_typer(cost.app, name="cost")
app.add_typer(cost.prices, name="prices")
app.add_typer(cost.charges, name="charges")
app.add_typer(accounts.people, name="people")
app.add_typer(accounts.projects, name="projects")
app.add_typer(registry.app, name="registry")
app.add_typer(chaos.app, name="chaos")


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"porewatch {__version__}\n")
        raise typer.Exit


@app.callback()
def porewatch(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Options before every command."""


if __name__ == "__main__":
    app()
