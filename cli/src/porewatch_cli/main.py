"""`porewatch`: screen nanopore reads for pathogens, here or in the cloud.

This file only puts the verbs together: those about runs, about a stack, those that need none, and
groups of their own. What a verb does stands in a module of its name.
"""

from __future__ import annotations

import typer

from porewatch_cli.commands import (
    alerts,
    local,
    retention,
    runs,
    stack,
)
from porewatch_cli.operate import (
    chaos,
    prices,
    references,
    registry,
)
from porewatch_cli.runs import cost
from porewatch_cli.submit import sheet

app = typer.Typer(
    help="Screen nanopore reads for pathogens, on machines that may die at any line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(runs.app)
app.add_typer(alerts.app)
app.add_typer(retention.app)
app.add_typer(stack.app)
app.add_typer(local.app)
app.add_typer(references.app, name="references", help="Build, list, verify and push bundles.")
app.add_typer(sheet.app, name="sheet", help="Sample sheets: one to begin with, a check of yours.")
app.add_typer(cost.app, name="cost", help="The bill of a run; a forecast before it.")
app.add_typer(prices.app, name="prices", help="The price snapshot: show it, ask AWS anew.")
app.add_typer(registry.app, name="registry", help="Rebuild the registry from the facts.")
app.add_typer(chaos.app, name="chaos", help="Break things on purpose.")


if __name__ == "__main__":
    app()
