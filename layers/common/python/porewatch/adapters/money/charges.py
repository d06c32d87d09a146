"""What runs of a project cost in a month, as their bills are settled.

CHARGES#project#month   RUN#id       counters, added to in the write by which the run changes
CHARGES#month           PROJECT#id   their sums, by the same write
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from porewatch.adapters.batch_reads import get_many
from porewatch.adapters.items import Add, Item, Write
from porewatch.adapters.table import Table
from porewatch.domain.money.charges import Charge, charged
from porewatch.domain.people.roles import ProjectId
from porewatch.domain.records.run_record import RunRecord

RUN, PROJECT = "RUN#", "PROJECT#"
_COUNTERS = ("cost", "reports", "samples", "bases")


def charge_writes(before: RunRecord | None, after: RunRecord) -> list[Write]:
    """What charges the run's project, in the month in which the run changes."""
    charge = charged(before, after)
    if charge is None:
        return []
    month = f"{after.updated_at:%Y-%m}"
    places = (
        Item(charges_key(month, after.project), RUN + after.run_id),
        Item(charges_key(month), PROJECT + after.project),
    )
    more = {name: getattr(charge, name) for name in _COUNTERS}
    return [Add(item, {name: number for name, number in more.items() if number}) for item in places]


class Charges:
    """In ledger `table`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of(self, project: ProjectId, month: str) -> Iterator[Charge]:
        """Of a project's month, by run."""
        for item in self._table.query(charges_key(month, project), RUN):
            yield _charge(item.sk.removeprefix(RUN), item)

    def of_month(self, month: str) -> dict[ProjectId, Charge]:
        """The sums of all projects that have any."""
        found = self._table.query(charges_key(month), PROJECT)
        return {item.sk.removeprefix(PROJECT): _charge("all", item) for item in found}

    def of_months(self, project: ProjectId, months: Sequence[str]) -> dict[str, Charge]:
        """The sums of a project, of months in which it has any, in few requests."""
        keys = {month: (charges_key(month), PROJECT + project) for month in months}
        found = get_many(self._table, list(keys.values()))
        return {month: _charge("all", found[key]) for month, key in keys.items() if key in found}


def charges_key(month: str, project: ProjectId | None = None) -> str:
    """Partition of a month: of one project, or of the sums of all."""
    return f"CHARGES#{month}" if project is None else f"CHARGES#{project}#{month}"


def _charge(run_id: str, item: Item) -> Charge:
    counted = {name: int(item.attributes.get(name, 0)) for name in _COUNTERS}
    return Charge(run_id=run_id, **counted)
