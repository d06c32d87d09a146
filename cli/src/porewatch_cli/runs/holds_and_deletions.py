"""What `hold` and `delete` print, and the question before a deletion."""

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
    """For lists and pictures of a run; blank without a legal hold."""
    if run.hold is None:
        return ""
    if run.hold.released is not None:
        return "legal hold, being released"
    since = f"legal hold since {run.hold.at:%Y-%m-%d} by {run.hold.by}: {run.hold.reason}"
    return since if run.hold.covered_to else f"{since} (its objects are being locked)"


def show_hold(done: Held) -> None:
    said = Text("run ").append(done.run_id, style="bold")
    if done.hold is None:
        said.append(f" is under no legal hold; {done.locked} versions of objects were unlocked")
    elif done.hold.released is not None:
        said.append(f" is being released: {done.locked} versions of objects were unlocked so far")
    else:
        said.append(f" is under legal hold ({done.hold.by}: {done.hold.reason}); ")
        said.append(f"{done.locked} versions of objects were locked")
    console.print(said, soft_wrap=True)


def show_locking(versions: int, *, release: bool) -> None:
    """How far a hold, or its release, has come; beside the answer, which may be JSON."""
    what = "unlocked" if release else "locked"
    errors.print(f"{versions:,} versions of objects are {what} so far ...", highlight=False)


def show_going(done: Deleted, before: Deleted) -> None:
    """How far a deletion has come. `before`: what there was; of a large run not all was counted."""
    there = f"{before.found.versions:,}" + ("+" if before.more else "")
    errors.print(
        f"{done.found.versions:,} of {there} versions of objects are gone "
        f"({done.found.bytes / 1e6:,.1f} MB) ...",
        highlight=False,
    )


def must_agree(run: str, yes: str | None, *, asks: bool) -> None:
    """The run's id, typed once more. Raises MessageRefused for anything else."""
    if yes is None and not asks:
        raise MessageRefused(
            "a deletion has to be confirmed, and there is nobody to ask.",
            remedy=f"look with --dry-run, then add --yes {run}.",
        )
    silence.end()  # the question waits for a person
    said = yes if yes is not None else typer.prompt("It cannot be undone. Type the run's id")
    if said.strip() != run:
        raise MessageRefused(
            f"{said!r} is not {run!r}: nothing was deleted.", remedy="type the run's id exactly."
        )


def show_deletion(done: Deleted) -> None:
    counts = done.found
    verb = "would go" if done.dry_run else "gone"
    verb += " at least" if done.more else ""
    if done.state is RunState.DELETED or done.problem:
        console.print(Text(done.problem), soft_wrap=True)
    console.print(
        f"{verb}: {counts.versions:,} versions of objects ({counts.bytes / 1e6:,.1f} MB), "
        f"{counts.items:,} items of the ledger, {counts.rows:,} rows of the registry",
        highlight=False,
    )
    console.print("stays:" if not done.dry_run else "would stay:")
    for what in done.stays:
        console.print(Text(f"  - {what}"), soft_wrap=True)
