"""Commands that interrupt or kill the instance of a run, or trouble its way to the archive, to test
its recovery."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command, group
from porewatch_cli.options import Events, JsonOption, RunArgument

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


@command(
    app,
    "porewatch chaos archive RUN --days 30 --events lost",
)
def archive(
    run: RunArgument,
    days: Annotated[int, typer.Option("--days", min=1, help="by which the run is aged")] = 30,
    events: Annotated[
        Events, typer.Option("--events", help="of restores: sent, lost or doubled from now on")
    ] = Events.SENT,
    died: Annotated[
        bool, typer.Option("--died", help="leave copies as a process does that is killed")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Age a run past its deadline, and trouble its way to the archive and back.

    Of the embedded AWS alone; the archiver works where UnpaidTier is free.
    """
    from porewatch_cli.operate.chaos_archive import print_trouble, trouble_archive
    from porewatch_cli.stack import find_stack

    done = trouble_archive(run, find_stack(), days=days, events=events, died=died)
    print_trouble(done, as_json)
