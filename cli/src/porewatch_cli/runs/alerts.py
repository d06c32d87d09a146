"""`porewatch alerts` and `porewatch ack`: list alerts, and acknowledge one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text

from porewatch.domain.calls.alarm_rule import Level
from porewatch.domain.facts.alerts import (
    Acknowledge,
    Alert,
    AlertState,
    AlertVerdict,
    AlertView,
)
from porewatch_cli.invoke import invoke_function
from porewatch_cli.plurals import plural
from porewatch_cli.terminal import console, print_json, table

if TYPE_CHECKING:
    from porewatch_cli.stack import Stack

STYLES = {
    AlertState.OPEN: "bold red",
    AlertState.CONFIRMED: "bold red",
    AlertState.ACKNOWLEDGED: "green",
    AlertState.WITHDRAWN: "dim",
}


def show(stack: Stack, run_id: str | None, *, every: bool, as_json: bool) -> None:
    """Alerts that wait for an acknowledgement; with `every` all of them. Fits 80 columns."""
    found = stack.alerts.listed(run_id, every=every)
    if as_json:
        print_json(found)
        return
    if not found:
        console.print("no alert waits for an acknowledgement" if not every else "no alerts")
        return
    shown = table("", "state", "raised (UTC)", "run", "sample", "code", "reads", numeric=("reads",))
    for view in found:
        a = view.alert
        shown.add_row(
            Text(view.state.value, style=STYLES[view.state]), f"{a.raised_at:%m-%d %H:%M}",
            Text(a.run_id), Text(a.sample), a.code, str(a.reads),
        )  # fmt: skip
    console.print(shown)
    for view in found:
        console.print(Text(sentence(view.alert)), soft_wrap=False)


def close(stack: Stack, order: Acknowledge, *, as_json: bool) -> None:
    """Acknowledge one alert, and print the recorded acknowledgement (the first one counts)."""
    closed = invoke_function(stack, "alert-handler", order, AlertView)
    if as_json:
        print_json(closed)
        return
    console.print(Text(acknowledged(closed)))


def acknowledged(view: AlertView) -> str:
    a = view.alert
    when = f"{a.acknowledged_at:%Y-%m-%d %H:%M} UTC" if a.acknowledged_at else ""
    note = f": {a.note}" if a.note else ""
    return (
        f"{a.code} in {a.sample}, run {a.run_id}: acknowledged by {a.acknowledged_by}, {when}{note}"
    )


RED = "bold red"


def alert_lines(alerts: Iterable[Alert]) -> dict[str, str]:
    """A line for every alert and for its final verdict, each with its style."""
    lines: dict[str, str] = {}
    for a in alerts:
        status = "DETECTED" if a.level is Level.FINAL else "SUSPECTED"
        rule = a.rule or plural(a.reads, "read")
        lines[f"{status} {a.code} ({a.severity}) in {a.sample}: {rule}"] = RED
        if a.level is Level.PROVISIONAL and a.verdict is not AlertVerdict.PENDING:
            why = f": {a.final_rule}" if a.final_rule else ""
            lines[f"{a.verdict.value.upper()} {a.code} in {a.sample}{why}"] = RED
    return lines


def sentence(alert: Alert) -> str:
    """The evidence for the alert, and the verdict of the report."""
    head = f"{alert.code} in {alert.sample}: {alert.rule or plural(alert.reads, 'read')}"
    if alert.verdict.value in ("confirmed", "withdrawn"):
        return f"{head}. {alert.verdict.value.capitalize()}: {alert.final_rule or alert.call}"
    return f"{head}. {alert.verdict.value.capitalize()}"
