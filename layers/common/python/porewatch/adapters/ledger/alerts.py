"""Alerts in the ledger. The rules are in `domain.facts.alerts`.

Open alerts are in one kind of the index, the others in another. Each alert is written twice, in one
transaction: once for who sees the whole stack, once in the list of its run's project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from heapq import merge

from porewatch.adapters.items import Item, Put, run_key
from porewatch.adapters.ledger.run_moves import RUN
from porewatch.adapters.table import Change, Table
from porewatch.domain.errors import AlreadyDone, NotFound
from porewatch.domain.facts import alerts as rules
from porewatch.domain.facts.alert_facts import PathogenSuspected
from porewatch.domain.facts.alerts import (
    Alert,
    AlertView,
    Final,
    Move,
)
from porewatch.domain.facts.fact import Fact
from porewatch.domain.people.roles import DEFAULT_PROJECT, ProjectId
from porewatch.domain.records.run_record import RunRecord

WAITING, CLOSED = "ALERTS-WAITING", "ALERTS-CLOSED"
PREFIX, LISTED = "ALERT#", "LISTED-ALERT#"
PAGE = 50
"""Alerts of a project that are read at a time."""
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

        record = self._table.get(run_key(fact.run_id), RUN)
        project = record.model(RunRecord).project if record else DEFAULT_PROJECT
        alert = rules.raised(fact).model_copy(update={"project": project})

        def step(before: Item | None) -> Change | None:
            return None if before else _change(alert, (fact,))

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
        self,
        run_id: str | None = None,
        *,
        every: bool = False,
        past: str = "",
        projects: Sequence[ProjectId] | None = None,
    ) -> Iterator[tuple[str, Alert]]:
        """As `listed`, each with its place; only those after a place of the same list. Of one run
        by revision, sample and code; of all runs, or those of `projects`, open ones first."""
        if run_id is not None:
            found = ((_place(alert)[1], alert) for alert in self.of_run(run_id))
            yield from ((at, a) for at, a in found if at > past and (every or a.waits))
            return
        began, _, order = past.partition(PAST_KIND)
        if began != CLOSED:
            yield from self._of_kind(WAITING, order, projects)
        if every:
            yield from self._of_kind(CLOSED, order if began == CLOSED else "", projects)

    @staticmethod
    def pattern(run_id: str | None = None) -> re.Pattern[str]:
        """What the places of that list look like."""
        return PLACE if run_id is None else PLACE_IN_RUN

    def _of_kind(
        self, kind: str, past: str, projects: Sequence[ProjectId] | None = None
    ) -> Iterator[tuple[str, Alert]]:
        newest, page = kind == CLOSED, None if projects is None else PAGE
        kinds = [kind] if projects is None else [_kind_of(kind, project) for project in projects]
        lists = [
            self._table.query_kind(one, newest_first=newest, past=past, page=page) for one in kinds
        ]
        for item in merge(*lists, key=lambda item: item.kind or ("", ""), reverse=newest):
            alert = item.model(Alert)
            yield f"{kind}{PAST_KIND}{_order(alert)}", alert

    def adopt(self) -> int:
        """Put alerts from before there were projects into the list of theirs. Says how many;
        idempotent."""
        count = 0
        for kind in (WAITING, CLOSED):
            for found in self._table.query_kind(kind, page=PAGE):
                item = self._table.get(found.pk, found.sk)
                if item is not None and self._put_into_list(item.model(Alert)):
                    count += 1
        return count

    def _put_into_list(self, alert: Alert) -> bool:
        try:
            self._table.put_new(_listed(alert))
        except AlreadyDone:
            return False
        return True

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
            return _change(*moved) if moved else None

        item = self._table.change(*_place(alert), step)
        return item.model(Alert) if item else alert


def _place(alert: Alert) -> tuple[str, str]:
    sk = f"{PREFIX}{alert.revision:04d}#{alert.sample}#{alert.code}"
    return run_key(alert.run_id), sk


def _change(alert: Alert, facts: Sequence[Fact]) -> Change:
    return Change(_item(alert), facts, beside=[Put(_listed(alert))])


def _listed(alert: Alert) -> Item:
    """What stands for it in the list of its project."""
    pk, sk = _place(alert)
    kind = _kind_of(WAITING if alert.waits else CLOSED, alert.project)
    return Item.of(pk, sk.replace(PREFIX, LISTED, 1), alert, kind=(kind, _order(alert)))


def _kind_of(kind: str, project: ProjectId) -> str:
    return f"{kind}-OF#{project}"


def _item(alert: Alert) -> Item:
    pk, sk = _place(alert)
    kind = WAITING if alert.waits else CLOSED
    attributes = {"state": alert.state.value}
    return Item.of(pk, sk, alert, attributes=attributes, kind=(kind, _order(alert)))


def _order(alert: Alert) -> str:
    return f"{alert.raised_at.isoformat()}#{alert.run_id}#{_place(alert)[1]}"
