"""Alerts in the ledger. The rules are `domain.alerts`; here is only the storing.

Alerts that wait for somebody lie in one kind of the index, the others in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from porewatch.adapters.items import Item, run_key
from porewatch.adapters.table import Table
from porewatch.domain import alerts as rules
from porewatch.domain.alerts import Alert, AlertView, Final, Move
from porewatch.domain.errors import NotFound
from porewatch.domain.events import Fact, PathogenSuspected

WAITING, CLOSED = "ALERTS-WAITING", "ALERTS-CLOSED"
PREFIX = "ALERT#"


class AlertLedger:
    """The alerts in ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def raise_alert(self, fact: PathogenSuspected) -> Alert:
        """Alert and fact in one write, once a revision, sample and code. Answers what stands."""

        def step(before: Item | None) -> tuple[Item, Sequence[Fact]] | None:
            return None if before else (_item(rules.raised(fact)), (fact,))

        alert = rules.raised(fact)
        item = self._table.change(*_place(alert), step)
        return item.model(Alert) if item else alert

    def of_run(self, run_id: str) -> tuple[Alert, ...]:
        """All alerts of a run, by revision, sample and code."""
        return tuple(i.model(Alert) for i in self._table.query(run_key(run_id), PREFIX))

    def waiting(self) -> Iterator[Alert]:
        """Alerts that wait for somebody, oldest first (a moment late)."""
        for item in self._table.query_kind(WAITING):
            yield item.model(Alert)

    def closed(self) -> Iterator[Alert]:
        """Acknowledged and withdrawn ones, newest first (a moment late)."""
        for item in self._table.query_kind(CLOSED, newest_first=True):
            yield item.model(Alert)

    def listed(self, run_id: str | None = None, *, every: bool = False) -> tuple[AlertView, ...]:
        """Those that wait for somebody; with `every` also the closed ones. Of one run, or all."""
        if run_id is not None:
            found = [a for a in self.of_run(run_id) if every or a.waits]
        else:
            found = [*self.waiting(), *(self.closed() if every else ())]
        return tuple(AlertView.of(alert) for alert in found)

    def settle(self, alert: Alert, final: Final | None, revision: int, at: datetime) -> Alert:
        """See `domain.alerts.settle`."""
        return self._move(alert, lambda there: rules.settle(there, final, revision, at))

    def leave_unconfirmed(self, alert: Alert, problem: str, at: datetime) -> Alert:
        """See `domain.alerts.unconfirmed`."""
        return self._move(alert, lambda there: rules.unconfirmed(there, problem, at))

    def acknowledge(self, alert: Alert, name: str, note: str, at: datetime) -> Alert:
        """See `domain.alerts.acknowledge`."""
        return self._move(alert, lambda there: rules.acknowledge(there, name, note, at))

    def escalate(self, alert: Alert, after: timedelta, at: datetime) -> Alert:
        """See `domain.alerts.escalate`."""
        return self._move(alert, lambda there: rules.escalate(there, after, at))

    def _move(self, alert: Alert, rule: Callable[[Alert], Move]) -> Alert:
        def step(before: Item | None) -> tuple[Item, Sequence[Fact]] | None:
            if before is None:
                raise NotFound(f"there is no alert {alert.code} in {alert.sample}.")
            moved = rule(before.model(Alert))
            return (_item(moved[0]), moved[1]) if moved else None

        item = self._table.change(*_place(alert), step)
        return item.model(Alert) if item else alert


def _place(alert: Alert) -> tuple[str, str]:
    sk = f"{PREFIX}{alert.revision:04d}#{alert.sample}#{alert.code}"
    return run_key(alert.run_id), sk


def _item(alert: Alert) -> Item:
    pk, sk = _place(alert)
    kind = WAITING if alert.waits else CLOSED
    order = f"{alert.raised_at.isoformat()}#{alert.run_id}#{sk}"
    return Item.of(pk, sk, alert, attributes={"state": alert.state.value}, kind=(kind, order))
