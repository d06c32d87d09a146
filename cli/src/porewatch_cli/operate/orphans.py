"""`porewatch reap`: what still costs money and is of no use to anybody; with --yes, it is ended.

The deployed function looks, judges and ends (its role says what it may); this only asks and shows.
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
from porewatch_cli.invoke import ask_function
from porewatch_cli.responsive_table import stacked
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack


def orphans(stack: Stack, *, dry: bool, kills: int, as_json: bool) -> None:
    """Look, and show what was found; not `dry`: note it, and end what was seen twice."""
    told = ask_function(stack, "leftover-reaper", Reap(dry=dry, kills=kills), Reaped)
    if as_json:
        print_json(told)
        return
    shown = table("left over", "what", "id", "why", "age", "action")
    for one in told.found:
        shown.add_row(*_row(one))
    console.print(shown if told.found else "nothing is left over")
    if told.kills:
        _show_kills(told.kills)
    if told.dry and not dry:
        console.print("nothing is ended: the stack was deployed with ReaperDryRun=true")
        return
    if any(one.action == "noted" for one in told.found):
        console.print("noted: ended when it is still so five minutes later")
    if told.dry and any(one.action == "would end" for one in told.found):
        console.print("to end it now: porewatch reap --yes")


def _row(one: Found) -> tuple[str, str, Group, str, str]:
    action = f"{one.action}: {one.problem}" if one.problem else one.action
    return one.what.value, one.name, stacked(one.why), _age(one.age_s), action


def _show_kills(kills: tuple[Kill, ...]) -> None:
    shown = table("ended", "when", "what", "id", "why", "lasted", "USD", "outcome")
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
