"""Verbs that end a run: stop it."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.text import Text

from porewatch.domain.cancelling import Cancel, Cancelled
from porewatch_cli.invoke import ask_function
from porewatch_cli.options import JsonOption, ProfileOption, RegionOption, RunArgument, StackOption
from porewatch_cli.stack import find_stack
from porewatch_cli.terminal import console, print_json, speaks_plainly

app = typer.Typer()

ByOption = Annotated[str | None, typer.Option("--by", help="your name (default: this login)")]
ReasonOption = Annotated[str, typer.Option("--reason", help="why; it goes into record and notice")]


@app.command()
@speaks_plainly
def cancel(
    run: RunArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Stop a run: its machines end and are paid, people are notified, what was saved stays."""
    chosen = find_stack(stack, profile=profile, region=region)
    chosen.runs.get(run)
    order = Cancel(run_id=run, by=by or getpass.getuser(), reason=reason)
    done = ask_function(chosen, "run-canceller", order, Cancelled)
    if as_json:
        print_json(done)
        return
    ended = ", ".join(done.machines) or "none was at work"
    said = f" is {done.state.value}: {done.problem}"
    console.print(Text.assemble("run ", (done.run_id, "bold"), said))
    console.print(f"  machines ended: {ended}; cost so far {done.cost_usd:.4f} USD")
