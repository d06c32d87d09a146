"""Commands that interrupt or kill the instance of a run, to test its recovery."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import JsonOption, RunArgument

app = group("Inject faults into a run.")


@command(
    app,
    "porewatch chaos interrupt RUN --seconds 30",
)
def interrupt(
    run: RunArgument,
    seconds: Annotated[int, typer.Option("--seconds", help="from notice to termination")] = 120,
    as_json: JsonOption = False,
) -> None:
    """Interrupt the run's spot instance.

    The instance gets an interruption notice, and is terminated after SECONDS.
    """
    from porewatch_cli.operate.chaos import order, print_done
    from porewatch_cli.stack import find_stack

    instance = order(run, find_stack(), f"interrupt/{{}}?seconds={seconds}")
    print_done("interrupted", run, instance, as_json)


@command(
    app,
    "porewatch chaos kill RUN",
)
def kill(
    run: RunArgument,
    as_json: JsonOption = False,
) -> None:
    """Terminate the run's instance without notice."""
    from porewatch_cli.operate.chaos import order, print_done
    from porewatch_cli.stack import find_stack

    instance = order(run, find_stack(), "kill/{}")
    print_done("killed", run, instance, as_json)
