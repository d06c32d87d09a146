"""List alerts, open or all, and acknowledge one. The same for CLI and API."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from porewatch.domain.errors import MessageRefused, NotFound
from porewatch.domain.facts.alerts import (
    LONGEST_NAME,
    LONGEST_NOTE,
    Acknowledge,
    AlertView,
)
from porewatch.domain.inputs.sample_keys import in_subject
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.runs import RUN_ID_PATTERN
from porewatch.usecases.views.pages import (
    cursor_of,
    limit_of,
    place_of,
)
from porewatch.usecases.views.show_runs import MERGED, MOST_READ, Answer

if TYPE_CHECKING:
    from porewatch.adapters.ledger.alerts import AlertLedger

FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class AlertList(Answer):
    """A page of alerts: open ones, oldest first, then closed ones, newest first; of one run, by
    revision, sample and code."""

    alerts: tuple[AlertView, ...]
    next: Annotated[
        str | None, Field(description="`cursor` of the page after this one; None: it was the last")
    ] = None


def list_alerts(
    *,
    alerts: AlertLedger,
    projects: Sequence[ProjectId] | None = None,
    run: str | None = None,
    every: str | None = None,
    limit: str | None = None,
    cursor: str | None = None,
) -> AlertList:
    """Open alerts; with `every` also the closed ones. Of one run, or of all runs of `projects`
    (None: of the whole stack). `limit` 1 to 200 (default 50), `cursor` the `next` of the previous
    page of the same list. A page ends after MOST_READ alerts, however few of them are his. Who may
    see a run is asked before. Raises MessageRefused for invalid values."""
    most, closed_too = limit_of(limit), _flag(every)
    if run is not None and not re.fullmatch(RUN_ID_PATTERN, run):
        raise MessageRefused(f"run {run[:80]!r} is not a run id.")
    past = place_of(cursor, alerts.pattern(run))
    theirs = None if projects is None or len(projects) <= MERGED else frozenset(projects)
    lists = projects if theirs is None else None
    found: list[AlertView] = []
    last = ""
    places = alerts.places(run, every=closed_too, past=past, projects=lists)
    for seen, (place, alert) in enumerate(places):
        if last and (len(found) == most or seen == MOST_READ):
            return AlertList(alerts=tuple(found), next=cursor_of(last))
        if theirs is None or alert.project in theirs:
            found.append(AlertView.of(alert))
        last = place
    return AlertList(alerts=tuple(found))


def _flag(text: str | None) -> bool:
    if text is None:
        return False
    if text in FLAGS:
        return FLAGS[text]
    raise MessageRefused(f"all={text[:20]!r} is refused.", remedy="use true or false.")


def acknowledge(order: Acknowledge, *, alerts: AlertLedger, at: datetime) -> AlertView:
    """Close an alert. Idempotent. NotFound when there is none; MessageRefused without a name."""
    name, note = " ".join(order.name.split()), order.note.strip()
    if not name or len(name) > LONGEST_NAME or len(note) > LONGEST_NOTE:
        raise MessageRefused(
            "an acknowledgement needs a name "
            f"(up to {LONGEST_NAME} characters), and a note of up to {LONGEST_NOTE}.",
            remedy="say who looked at it, and what was decided.",
        )
    sample = unicodedata.normalize("NFC", order.sample)
    found = [
        a
        for a in alerts.of_run(order.run_id)
        if sample in (a.sample, in_subject(a.sample))
        and a.code == order.code
        and order.revision in (None, a.revision)
    ]
    if not found:
        raise NotFound(
            f"run {order.run_id} has no alert {order.code} in sample {order.sample}.",
            remedy="`porewatch alerts --all` lists every alert.",
        )
    return AlertView.of(alerts.acknowledge(found[-1], name, note, at))
