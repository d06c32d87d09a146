"""`porewatch chaos`: break a run on purpose, to see it survive."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Annotated

import typer

from porewatch.domain.errors import NotFound, Unavailable
from porewatch.domain.stage.record import StageState
from porewatch_cli.options import JsonOption, RunArgument
from porewatch_cli.runs.watch import (
    current_stage,
    look,
)
from porewatch_cli.stack import Stack, find_stack
from porewatch_cli.terminal import console, print_json, speaks_plainly

app = typer.Typer(no_args_is_help=True)


@app.command()
@speaks_plainly
def interrupt(
    run: RunArgument,
    seconds: Annotated[int, typer.Option("--seconds", help="from notice to termination")] = 120,
    as_json: JsonOption = False,
) -> None:
    """Give the run's machine a spot interruption notice, and take it away after SECONDS."""
    instance = order(run, find_stack(), f"interrupt/{{}}?seconds={seconds}")
    _say("interrupted", run, instance, as_json)


@app.command()
@speaks_plainly
def kill(
    run: RunArgument,
    as_json: JsonOption = False,
) -> None:
    """Take the run's machine away without notice."""
    instance = order(run, find_stack(), "kill/{}")
    _say("killed", run, instance, as_json)


def order(run: str, stack: Stack, what: str) -> str:
    """Post `what` (with `{}` for the instance) to the local instance host; the instance."""
    if stack.control is None:
        raise NotFound(
            "only machines of the embedded AWS can be broken from here.",
            remedy="on AWS, use the Fault Injection Service action "
            "aws:ec2:send-spot-instance-interruptions on the run's instance.",
        )
    stage = current_stage(look(run, stack))
    if stage is None or stage.instance_id is None or stage.state is not StageState.CLAIMED:
        raise NotFound(f"no machine works on run {run} just now.", remedy="`porewatch watch` it.")
    request = urllib.request.Request(  # noqa: S310 - loopback, from our own local.json
        f"{stack.control.url}/control/{what.format(stage.instance_id)}",
        method="POST",
        headers={"X-Porewatch-Token": stack.control.token},
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return stage.instance_id
    except (urllib.error.URLError, OSError) as error:
        raise Unavailable(f"the instance host did not take the order: {error}") from error


def _say(what: str, run: str, instance: str, as_json: bool) -> None:
    if as_json:
        print_json({"run_id": run, "instance_id": instance, "done": what})
    else:
        console.print(f"{what} {instance} of run {run}")
