"""Commands about the registry, the SQL database of results."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, ProfileOption, RegionOption, StackOption

app = group("Rebuild the registry from the facts.")

RunsArgument = Annotated[list[str] | None, typer.Argument(help="only these runs (default: all)")]


@app.callback()
def registry() -> None:
    """The SQL database of results."""


@command(
    app,
    "porewatch registry rebuild",
    "porewatch registry rebuild RUN_A RUN_B",
)
def rebuild(
    runs: RunsArgument = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Send every fact of the ledger to the registry again.

    Existing rows stay the same.
    """
    from porewatch_cli.operate.registry import send_again
    from porewatch_cli.plurals import plural
    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import console, print_json

    done = send_again(find_stack(stack, profile=profile, region=region), runs)
    if as_json:
        print_json(done)
        return
    facts, of = plural(done.facts, "fact"), plural(done.runs, "run")
    console.print(f"sent to the registry: {facts} of {of}.")
    if done.unknown:
        console.print(f"  skipped: {plural(done.unknown, 'fact')} unknown to this version")
    console.print("  facts that fail: porewatch redrive status")
