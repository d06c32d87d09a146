"""Commands about a deployed stack: doctor, dead-letter messages, orphaned resources."""

from __future__ import annotations

from typing import Annotated

import typer

from porewatch_cli.commands.command import command
from porewatch_cli.options import JsonOption, ProfileOption, RegionOption, StackOption

app = typer.Typer()


@command(
    app,
    "porewatch doctor",
    "porewatch doctor --stack porewatch-prod --region eu-west-1",
)
def doctor(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Check whether a launch would work.

    Image, subnets, endpoints, instance types, quotas, queues; exit code 1 if it would not.
    """
    from porewatch_cli.commands import output
    from porewatch_cli.operate.doctor import examine
    from porewatch_cli.operate.doctor_checks import CheckVerdict
    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import EXIT_FAILED

    checks = examine(find_stack(stack, profile=profile, region=region))
    output.checks(checks, as_json=as_json)
    if any(check.verdict is CheckVerdict.FAIL for check in checks):
        raise typer.Exit(EXIT_FAILED)


@command(
    app,
    "porewatch web",
    "porewatch web --print",
)
def web(
    only_print: Annotated[
        bool, typer.Option("--print", help="print the address, open nothing")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Open the pages of the stack in your browser, and print their address.

    With --json nothing is opened.
    """
    import webbrowser

    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import print_json, write

    address = find_stack(stack, profile=profile, region=region).output("WebUrl")
    if as_json:
        return print_json({"address": address})
    write(f"{address}\n")
    if not only_print:
        webbrowser.open(address)


@command(
    app,
    "porewatch redrive",
    "porewatch redrive files --move",
)
def redrive(
    queue: Annotated[str | None, typer.Argument(help="only this queue, e.g. files")] = None,
    move: Annotated[
        bool, typer.Option("--move", help="return messages to their source queue")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show dead-letter messages; --move returns them.

    --move sends them back to their source queue.
    """
    from porewatch_cli.operate.redrive import redrive as dead_letters
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    dead_letters(chosen, queue, move=move, as_json=as_json)


@command(
    app,
    "porewatch reap",
    "porewatch reap --yes",
)
def reap(
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run/--yes", help="list only; --yes: terminate what was seen twice"),
    ] = True,
    kills: Annotated[
        int, typer.Option("--kills", min=0, max=1000, help="show the last N terminations")
    ] = 0,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List orphaned resources; --yes cleans them up.

    Instances, volumes, uploads and other resources that no running stage uses.
    """
    from porewatch_cli.operate.orphans import orphans as list_orphans
    from porewatch_cli.stack import find_stack

    chosen = find_stack(stack, profile=profile, region=region)
    list_orphans(chosen, dry=dry_run, kills=kills, as_json=as_json)
