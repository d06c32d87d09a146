"""`porewatch chaos`: interrupt or kill the instance of a run, to test its recovery."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from porewatch.domain.errors import NotFound, Unavailable
from porewatch.domain.stage.record import StageState
from porewatch_cli.runs.run_view import current_stage, look
from porewatch_cli.terminal import console, print_json

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def order(run: str, stack: Stack, what: str) -> str:
    """Post `what` (with `{}` for the instance) to the local instance host; returns the instance."""
    if stack.control is None:
        raise NotFound(
            "only instances of the embedded AWS can be interrupted from here.",
            remedy="on AWS, use the Fault Injection Service action "
            "aws:ec2:send-spot-instance-interruptions on the run's instance.",
        )
    stage = current_stage(look(run, stack))
    if stage is None or stage.instance_id is None or stage.state is not StageState.CLAIMED:
        raise NotFound(f"no instance is working on run {run}.", remedy="`porewatch watch` it.")
    request = urllib.request.Request(  # noqa: S310 - loopback, from our own local.json
        f"{stack.control.url}/control/{what.format(stage.instance_id)}",
        method="POST",
        headers={"X-Porewatch-Token": stack.control.token},
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return stage.instance_id
    except (urllib.error.URLError, OSError) as error:
        raise Unavailable(f"the instance host did not accept the request: {error}") from error


def print_done(what: str, run: str, instance: str, as_json: bool) -> None:
    if as_json:
        print_json({"run_id": run, "instance_id": instance, "done": what})
    else:
        console.print(f"{what} {instance} of run {run}")
