"""What `hold` and `delete` print, and the confirmation of a deletion."""

from __future__ import annotations

import typer
from rich.text import Text

from porewatch.domain.errors import MessageRefused
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.retention.orders import (
    Deleted,
    Held,
)
from porewatch.domain.runs import RunState
from porewatch_cli.terminal import console, errors, silence


def hold_text(run: RunRecord) -> str:
    """The legal hold of a run in one line; blank without one."""
    if run.hold is None:
        return ""
    if run.hold.released is not None:
        return "legal hold, being released"
    since = f"legal hold since {run.hold.at:%Y-%m-%d} by {run.hold.by}: {run.hold.reason}"
    return since if run.hold.covered_to else f"{since} (its objects are being locked)"


def show_hold(done: Held) -> None:
    line = Text("run ").append(done.run_id, style="bold")
    if done.hold is None:
        line.append(f" is under no legal hold; {done.locked} versions of objects were unlocked")
    elif done.hold.released is not None:
        line.append(f" is being released: {done.locked} versions of objects were unlocked so far")
    else:
        line.append(f" is under legal hold ({done.hold.by}: {done.hold.reason}); ")
        line.append(f"{done.locked} versions of objects were locked")
    console.print(line, soft_wrap=True)


def show_locking(versions: int, *, release: bool) -> None:
    """Progress of a hold or its release, on standard error: standard output may be JSON."""
    what = "unlocked" if release else "locked"
    errors.print(f"{versions:,} versions of objects are {what} so far ...", highlight=False)


def show_going(done: Deleted, before: Deleted) -> None:
    """Progress of a deletion. `before`: the initial count, partial for a large run."""
    total = f"{before.found.versions:,}" + ("+" if before.more else "")
    errors.print(
        f"{done.found.versions:,} of {total} versions of objects are deleted "
        f"({done.found.bytes / 1e6:,.1f} MB) ...",
        highlight=False,
    )


def must_agree(run: str, yes: str | None, *, interactive: bool) -> None:
    """The run's id, typed once more. Raises MessageRefused for anything else."""
    if yes is None and not interactive:
        raise MessageRefused(
            "a deletion needs a confirmation, and this is no interactive terminal.",
            remedy=f"preview it with --dry-run, then add --yes {run}.",
        )
    silence.end()  # the prompt waits for a person
    confirmation = (
        yes if yes is not None else typer.prompt("This cannot be undone. Type the run's id")
    )
    if confirmation.strip() != run:
        raise MessageRefused(
            f"{confirmation!r} is not {run!r}: nothing was deleted.",
            remedy="type the run's id exactly.",
        )


def show_deletion(done: Deleted) -> None:
    counts = done.found
    verb = "would be deleted" if done.dry_run else "deleted"
    verb += " at least" if done.more else ""
    if done.state is RunState.DELETED or done.problem:
        console.print(Text(done.problem), soft_wrap=True)
    console.print(
        f"{verb}: {counts.versions:,} versions of objects ({counts.bytes / 1e6:,.1f} MB), "
        f"{counts.items:,} ledger items, {counts.rows:,} registry rows",
        highlight=False,
    )
    console.print("kept:" if not done.dry_run else "would be kept:")
    for what in done.stays:
        console.print(Text(f"  - {what}"), soft_wrap=True)
