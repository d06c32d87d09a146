"""Alerts for people: which ones wait, all of them, and closing one. The same for CLI and API."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.alerts import Acknowledge, AlertView
from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.domain.sample_keys import in_subject
from porewatch.usecases.show_runs import Answer

if TYPE_CHECKING:
    from porewatch.adapters.alerts import AlertLedger

LONGEST_NAME, LONGEST_NOTE = 100, 1000


class AlertList(Answer):
    alerts: tuple[AlertView, ...]


def list_alerts(
    *, alerts: AlertLedger, run_id: str | None = None, every: bool = False
) -> AlertList:
    """Those that wait for somebody; with `every` also the closed ones. Of one run, or of all."""
    return AlertList(alerts=alerts.listed(run_id, every=every))


def acknowledge(said: Acknowledge, *, alerts: AlertLedger, at: datetime) -> AlertView:
    """Close an alert. One that was acknowledged before stays as it is. NotFound when there is none;
    MessageRefused without a name."""
    name, note = " ".join(said.name.split()), said.note.strip()
    if not name or len(name) > LONGEST_NAME or len(note) > LONGEST_NOTE:
        raise MessageRefused(
            "an acknowledgement needs a name "
            f"(up to {LONGEST_NAME} characters), and a note of up to {LONGEST_NOTE}.",
            remedy="say who looked at it, and what was decided.",
        )
    sample = unicodedata.normalize("NFC", said.sample)
    found = [
        a
        for a in alerts.of_run(said.run_id)
        if sample in (a.sample, in_subject(a.sample))
        and a.code == said.code
        and said.revision in (None, a.revision)
    ]
    if not found:
        raise NotFound(
            f"run {said.run_id} has no alert {said.code} in sample {said.sample}.",
            remedy="`porewatch alerts --all` lists every alert.",
        )
    return AlertView.of(alerts.acknowledge(found[-1], name, note, at))
