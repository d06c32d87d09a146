"""Alerts for people: which ones wait, all of them, and closing one. The same for CLI and API."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.alerts import Alert, AlertState
from porewatch.domain.base import Model
from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.usecases.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.alerts import AlertLedger

LONGEST_NAME, LONGEST_NOTE = 100, 1000
Of = tuple[str, str, str]
"""Run, sample, code."""


class Acknowledgement(Model):
    """Who looked at an alert, and what was decided. `revision`: the latest with such an alert when
    it is not said."""

    name: str
    note: str = ""
    revision: int | None = None


class AlertView(Answer):
    """An alert with the state that follows from it."""

    state: AlertState
    alert: Alert


class AlertList(Answer):
    alerts: tuple[AlertView, ...]


def list_alerts(
    *, alerts: AlertLedger, run_id: str | None = None, every: bool = False
) -> AlertList:
    """Those that wait for somebody; with `every` also the closed ones. Of one run, or of all."""
    if run_id is not None:
        found = [a for a in alerts.of_run(run_id) if every or a.waits]
    else:
        found = [*alerts.waiting(), *(alerts.closed() if every else ())]
    return AlertList(alerts=tuple(view(alert) for alert in found))


def acknowledge(of: Of, said: Acknowledgement, *, alerts: AlertLedger, at: datetime) -> AlertView:
    """Close an alert. One that was acknowledged before stays as it is. NotFound when there is none;
    MessageRefused without a name."""
    run_id, sample, code = of
    name, note = " ".join(said.name.split()), said.note.strip()
    if not name or len(name) > LONGEST_NAME or len(note) > LONGEST_NOTE:
        raise MessageRefused(
            "an acknowledgement needs a name "
            f"(up to {LONGEST_NAME} characters), and a note of up to {LONGEST_NOTE}.",
            remedy="say who looked at it, and what was decided.",
        )
    found = [
        a
        for a in alerts.of_run(run_id)
        if (a.sample, a.code) == (sample, code) and said.revision in (None, a.revision)
    ]
    if not found:
        raise NotFound(
            f"run {run_id} has no alert {code} in sample {sample}.",
            remedy="`porewatch alerts --all` lists every alert.",
        )
    return view(alerts.acknowledge(found[-1], name, note, at))


def view(alert: Alert) -> AlertView:
    return AlertView(state=alert.state, alert=alert)
