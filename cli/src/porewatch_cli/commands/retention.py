"""Commands that stop a run, hold it, or delete its data."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from porewatch_cli.commands.command import command
from porewatch_cli.options import (
    ByOption,
    JsonOption,
    ProfileOption,
    RegionOption,
    RunArgument,
    StackOption,
)

if TYPE_CHECKING:
    from porewatch.domain.retention.orders import Deleted, DeleteRun, Held, HoldRun
    from porewatch_cli.stack import Stack

app = typer.Typer()

ReasonOption = Annotated[
    str, typer.Option("--reason", help="why; recorded, and part of the notice")
]


@command(
    app,
    'porewatch cancel RUN --reason "wrong sample sheet"',
)
def cancel(
    run: RunArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Stop a run.

    Its instances are terminated and billed, a notice is sent, checkpoints stay.
    """
    from rich.text import Text

    from porewatch.domain.rules.cancelling import Cancel, Cancelled
    from porewatch_cli.invoke import invoke_function
    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import console, print_json

    chosen = find_stack(stack, profile=profile, region=region)
    chosen.runs.get(run)
    order = Cancel(run_id=run, by=by or getpass.getuser(), reason=reason)
    done = invoke_function(chosen, "run-canceller", order, Cancelled)
    if as_json:
        print_json(done)
        return
    terminated = ", ".join(done.machines) or "none was running"
    summary = f" is {done.state.value}: {done.problem}"
    console.print(Text.assemble("run ", (done.run_id, "bold"), summary))
    console.print(f"  instances terminated: {terminated}; cost so far {done.cost_usd:.4f} USD")


@command(
    app,
    'porewatch hold RUN --reason "inspection of 2026"',
    'porewatch hold RUN --reason "inspection is over" --release',
)
def hold(
    run: RunArgument,
    reason: Annotated[str, typer.Option("--reason", help="why; kept in the run's record")],
    release: Annotated[bool, typer.Option("--release", help="end the run's legal hold")] = False,
    by: ByOption = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Put a run under legal hold, or release it.

    While it is held nothing of it is deleted, by a person or by its age.
    """
    from porewatch.domain.errors import MessageRefused
    from porewatch.domain.retention.orders import HoldRun
    from porewatch_cli.runs import holds_and_deletions
    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import print_json

    chosen = find_stack(stack, profile=profile, region=region)
    chosen.runs.get(run)
    if not reason.strip():
        raise MessageRefused("a legal hold needs a reason.", remedy="give one: --reason TEXT.")
    order = HoldRun(run_id=run, by=by or getpass.getuser(), reason=reason, release=release)
    done = _settle_hold(chosen, order)
    if as_json:
        print_json(done)
    else:
        holds_and_deletions.show_hold(done)


@command(
    app,
    "porewatch delete RUN --dry-run",
    'porewatch delete RUN --reason "consent withdrawn" --yes RUN',
)
def delete(
    run: RunArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    yes: Annotated[
        str | None,
        typer.Option("--yes", metavar="RUN", help="the run's id again, instead of the prompt"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="show what would be deleted and kept; delete nothing")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Delete all data of a run for good.

    In all its revisions; never under legal hold.
    """
    from porewatch.domain.retention.orders import Deleted, DeleteRun
    from porewatch_cli.invoke import invoke_function
    from porewatch_cli.runs import holds_and_deletions
    from porewatch_cli.stack import find_stack
    from porewatch_cli.terminal import print_json

    chosen = find_stack(stack, profile=profile, region=region)
    chosen.runs.get(run)
    order = DeleteRun(run_id=run, by=by or getpass.getuser(), reason=reason, dry_run=True)
    found = invoke_function(chosen, "run-eraser", order, Deleted)
    if not dry_run:
        if not as_json:
            holds_and_deletions.show_deletion(found)
        holds_and_deletions.must_agree(run, yes, interactive=sys.stdin.isatty() and not as_json)
        found = _delete(chosen, order.model_copy(update={"dry_run": False}), found)
    if as_json:
        print_json(found)
    else:
        holds_and_deletions.show_deletion(found)


def _delete(stack: Stack, order: DeleteRun, before: Deleted) -> Deleted:
    """Invoke the function until all is deleted; each call works for a limited time."""
    from porewatch.domain.retention.orders import Deleted
    from porewatch_cli.invoke import invoke_function
    from porewatch_cli.runs import holds_and_deletions

    done = invoke_function(stack, "run-eraser", order, Deleted)
    while done.more:
        holds_and_deletions.show_going(done, before)
        done = invoke_function(stack, "run-eraser", order, Deleted)
    return done


def _settle_hold(stack: Stack, order: HoldRun) -> Held:
    from porewatch.domain.retention.orders import Held
    from porewatch_cli.invoke import invoke_function
    from porewatch_cli.runs import holds_and_deletions

    done = invoke_function(stack, "run-keeper", order, Held)
    locked = done.locked
    while done.more:
        holds_and_deletions.show_locking(locked, release=order.release)
        done = invoke_function(stack, "run-keeper", order, Held)
        locked += done.locked
    return done.model_copy(update={"locked": locked})
