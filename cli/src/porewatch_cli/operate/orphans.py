"""`porewatch reap`: list orphaned resources; with --yes, terminate them.

The deployed function finds, classifies and terminates them, with the rights of its role; this
command invokes it and prints the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group

from porewatch.domain.rules.orphan_cleanup import (
    Reap,
    Reaped,
)
from porewatch.domain.rules.orphans import (
    Found,
    Kill,
)
from porewatch_cli.invoke import invoke_function
from porewatch_cli.responsive_table import stacked
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def orphans(stack: Stack, *, dry: bool, kills: int, as_json: bool) -> None:
    """List orphans; not `dry`: record them, and terminate those seen twice."""
    response = invoke_function(stack, "leftover-reaper", Reap(dry=dry, kills=kills), Reaped)
    if as_json:
        print_json(response)
        return
    shown = table("orphaned resources", "what", "id", "why", "age", "action")
    for orphan in response.found:
        shown.add_row(*_row(orphan))
    console.print(shown if response.found else "no orphaned resources")
    if response.kills:
        _show_kills(response.kills)
    if response.dry and not dry:
        console.print("nothing was terminated: the stack was deployed with ReaperDryRun=true")
        return
    if any(orphan.action == "noted" for orphan in response.found):
        console.print("noted: terminated if still orphaned five minutes later")
    if response.dry and any(orphan.action == "would end" for orphan in response.found):
        console.print("to terminate now: porewatch reap --yes")


def _row(one: Found) -> tuple[str, str, Group, str, str]:
    action = f"{one.action}: {one.problem}" if one.problem else one.action
    return one.what.value, one.name, stacked(one.why), _age(one.age_s), action


def _show_kills(kills: tuple[Kill, ...]) -> None:
    shown = table("terminated", "when", "what", "id", "why", "lasted", "USD", "outcome")
    for one in kills:
        shown.add_row(
            f"{one.at:%Y-%m-%d %H:%M}Z",
            one.what.value,
            one.name,
            stacked(one.why),
            _age(one.exposed_s),
            f"{one.usd:.4f}" if one.usd else "",
            f"{one.outcome}: {one.problem}" if one.problem else one.outcome,
        )
    console.print(shown)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
