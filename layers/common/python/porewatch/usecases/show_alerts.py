"""Alerts for people: which ones wait, all of them, and closing one. The same for CLI and API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.alerts import Alert, AlertState
from porewatch.domain.base import Model
from porewatch.domain.errors import MessageRefused, NotFound

if TYPE_CHECKING:
    from porewatch.adapters.alerts import AlertLedger

LONGEST_NAME, LONGEST_NOTE = 100, 1000


class AlertView(Model):
    """An alert with the state that follows from it."""

    state: AlertState
    alert: Alert


class AlertList(Model):
    alerts: tuple[AlertView, ...]


def list_alerts(*, alerts: AlertLedger, run_id: str | None = None, every: bool = False) -> AlertList:
    """Those that wait for somebody; with `every` also the closed ones. Of one run, or of all."""
    if run_id is not None:
        found = [a for a in alerts.of_run(run_id) if every or a.waits]
    else:
        found = [*alerts.waiting(), *(alerts.closed() if every else ())]
    return AlertList(alerts=tuple(view(alert) for alert in found))


def acknowledge(
    run_id: str, sample: str, code: str, *, name: str, note: str, alerts: AlertLedger,
    at: datetime, revision: int | None = None,
) -> AlertView:  # fmt: skip
    """Close the alert on `code` in `sample` (of the latest revision that has one). An acknowledged
    one stays as it is. NotFound when there is none; MessageRefused without a name."""
    name, note = " ".join(name.split()), note.strip()
    if not name or len(name) > LONGEST_NAME or len(note) > LONGEST_NOTE:
        raise MessageRefused(
            "an acknowledgement needs a name "
            f"(up to {LONGEST_NAME} characters), and a note of up to {LONGEST_NOTE}.",
            remedy="say who looked at it, and what was decided.",
        )
    found = [
        a
        for a in alerts.of_run(run_id)
        if (a.sample, a.code) == (sample, code) and revision in (None, a.revision)
    ]
    if not found:
        raise NotFound(
            f"run {run_id} has no alert {code} in sample {sample}.",
            remedy="`porewatch alerts --all` lists every alert.",
        )
    return view(alerts.acknowledge(found[-1], name, note, at))


def view(alert: Alert) -> AlertView:
    return AlertView(state=alert.state, alert=alert)
