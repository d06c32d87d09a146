"""Commands that break a run on purpose, to see it survive."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, RunArgument

app = group("Break things on purpose.")


@command(
    app,
    "porewatch chaos interrupt RUN --seconds 30",
)
def interrupt(
    run: RunArgument,
    seconds: Annotated[int, typer.Option("--seconds", help="from notice to termination")] = 120,
    as_json: JsonOption = False,
) -> None:
    """Give the run's machine a spot interruption notice, and take it away after SECONDS."""
    from porewatch_cli.operate.chaos import order, say
    from porewatch_cli.stack import find_stack

    instance = order(run, find_stack(), f"interrupt/{{}}?seconds={seconds}")
    say("interrupted", run, instance, as_json)


@command(
    app,
    "porewatch chaos kill RUN",
)
def kill(
    run: RunArgument,
    as_json: JsonOption = False,
) -> None:
    """Take the run's machine away without notice."""
    from porewatch_cli.operate.chaos import order, say
    from porewatch_cli.stack import find_stack

    instance = order(run, find_stack(), "kill/{}")
    say("killed", run, instance, as_json)
