"""Alerts in the ledger. The rules are in `domain.facts.alerts`.

Open alerts are in one kind of the index, the others in another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from porewatch.adapters.items import Item, run_key
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import NotFound
from porewatch.domain.facts import alerts as rules
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import (
    Alert,
    AlertView,
    Final,
    Move,
)

WAITING, CLOSED = "ALERTS-WAITING", "ALERTS-CLOSED"
PREFIX = "ALERT#"
PAST_KIND = "|"
PLACE = re.compile(rf"({WAITING}|{CLOSED})\{PAST_KIND}[0-9T:.+-]{{19,40}}#.+", re.DOTALL)
"""Places among all alerts."""
PLACE_IN_RUN = re.compile(rf"{PREFIX}[0-9]{{4,}}#.+", re.DOTALL)
"""Places among the alerts of one run."""


class AlertLedger:
    """The alerts in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def raise_alert(self, fact: PathogenSuspected) -> Alert:
        """Alert and fact in one write, once per revision, sample and code. Returns the stored
        alert."""

        def step(before: Item | None) -> Change | None:
            return None if before else Change(_item(rules.raised(fact)), (fact,))

        alert = rules.raised(fact)
        item = self._table.change(*_place(alert), step)
        return item.model(Alert) if item else alert

    def of_run(self, run_id: str) -> tuple[Alert, ...]:
        """All alerts of a run, by revision, sample and code."""
        return tuple(i.model(Alert) for i in self._table.query(run_key(run_id), PREFIX))

    def waiting(self) -> Iterator[Alert]:
        """Open alerts, oldest first (eventually consistent)."""
        yield from (alert for _, alert in self._of_kind(WAITING, ""))

    def listed(self, run_id: str | None = None, *, every: bool = False) -> tuple[AlertView, ...]:
        """Open alerts; with `every` also the closed ones. Of one run, or all."""
        return tuple(AlertView.of(alert) for _, alert in self.places(run_id, every=every))

    def places(
        self, run_id: str | None = None, *, every: bool = False, past: str = ""
    ) -> Iterator[tuple[str, Alert]]:
        """As `listed`, each with its place; only those after a place of the same list. Of one run
        by revision, sample and code; of all, open ones first."""
        if run_id is not None:
            found = ((_place(alert)[1], alert) for alert in self.of_run(run_id))
            yield from ((at, a) for at, a in found if at > past and (every or a.waits))
            return
        began, _, order = past.partition(PAST_KIND)
        if began != CLOSED:
            yield from self._of_kind(WAITING, order)
        if every:
            yield from self._of_kind(CLOSED, order if began == CLOSED else "")

    @staticmethod
    def pattern(run_id: str | None = None) -> re.Pattern[str]:
        """What the places of that list look like."""
        return PLACE if run_id is None else PLACE_IN_RUN

    def _of_kind(self, kind: str, past: str) -> Iterator[tuple[str, Alert]]:
        for item in self._table.query_kind(kind, newest_first=kind == CLOSED, past=past):
            alert = item.model(Alert)
            yield f"{kind}{PAST_KIND}{_order(alert)}", alert

    def settle(self, alert: Alert, final: Final | None, revision: int, at: datetime) -> Alert:
        """See `domain.facts.alerts.settle`."""
        return self._move(alert, lambda there: rules.settle(there, final, revision, at))

    def leave_unconfirmed(self, alert: Alert, problem: str, at: datetime) -> Alert:
        """See `domain.facts.alerts.unconfirmed`."""
        return self._move(alert, lambda there: rules.unconfirmed(there, problem, at))

    def acknowledge(self, alert: Alert, name: str, note: str, at: datetime) -> Alert:
        """See `domain.facts.alerts.acknowledge`."""
        return self._move(alert, lambda there: rules.acknowledge(there, name, note, at))

    def escalate(self, alert: Alert, after: timedelta, at: datetime) -> Alert:
        """See `domain.facts.alerts.escalate`."""
        return self._move(alert, lambda there: rules.escalate(there, after, at))

    def _move(self, alert: Alert, rule: Callable[[Alert], Move]) -> Alert:
        def step(before: Item | None) -> Change | None:
            if before is None:
                raise NotFound(f"there is no alert {alert.code} in {alert.sample}.")
            moved = rule(before.model(Alert))
            return Change(_item(moved[0]), moved[1]) if moved else None

        item = self._table.change(*_place(alert), step)
        return item.model(Alert) if item else alert


def _place(alert: Alert) -> tuple[str, str]:
    sk = f"{PREFIX}{alert.revision:04d}#{alert.sample}#{alert.code}"
    return run_key(alert.run_id), sk


def _item(alert: Alert) -> Item:
    pk, sk = _place(alert)
    kind = WAITING if alert.waits else CLOSED
    attributes = {"state": alert.state.value}
    return Item.of(pk, sk, alert, attributes=attributes, kind=(kind, _order(alert)))


def _order(alert: Alert) -> str:
    return f"{alert.raised_at.isoformat()}#{alert.run_id}#{_place(alert)[1]}"
