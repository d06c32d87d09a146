"""Work whose actual cost passes a cap is asked to save and leave, once; then nothing is launched.

A machine runs longer than was held for it when its input, its host or the cloud was slower than
nine times in ten. It is not killed: the worker writes a checkpoint and says that it leaves, and the
next launch is refused with the sum. Raise the budget, seal anew, and the work goes on from there.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.budget import Books
from porewatch.domain.errors import PorewatchError
from porewatch.domain.launching import Machine
from porewatch.domain.phases import StageRecord
from porewatch.domain.stages import ENDED

if TYPE_CHECKING:
    from porewatch.adapters.budget import Budget
    from porewatch.compute.executor import Executor

_log = logging.getLogger(__name__)
Running = list[tuple[StageRecord, Machine, float]]
"""Stages at work, their machines, and what each has cost so far."""


def stop_over_budget(
    records: Iterable[StageRecord],
    seen: Mapping[str, Machine],
    *,
    budget: Budget,
    executor: Executor,
    at: datetime,
) -> tuple[str, ...]:
    """Interrupt the machines of every run that is above its cap, and all of them when the account
    is above its own. Answers their ids. A machine that is ending already is left alone."""
    running = list(_running(records, seen, executor, at))
    stopped = []
    for record, machine, why in _above(running, budget, at):
        _log.warning("%s of %s is stopped: %s", machine.instance_id, record.run_id, why)
        try:
            executor.interrupt(machine.instance_id)
        except PorewatchError:
            _log.exception("could not interrupt %s", machine.instance_id)
        else:
            stopped.append(machine.instance_id)
    return tuple(stopped)


def _running(
    records: Iterable[StageRecord], seen: Mapping[str, Machine], executor: Executor, at: datetime
) -> Iterator[tuple[StageRecord, Machine, float]]:
    for record in records:
        machine = seen.get(record.instance_id or "")
        if machine is None or not machine.alive() or record.state in ENDED:
            continue
        if machine.waiting:  # a job in its queue costs nothing, and ends by its own clock
            continue
        seconds = max(0.0, (at - machine.launched_at).total_seconds())
        cost = executor.price(machine.instance_type, machine.purchase, seconds)
        yield record, machine, cost


def _above(
    running: Running, budget: Budget, at: datetime
) -> Iterator[tuple[StageRecord, Machine, str]]:
    if not running:
        return
    account = budget.account_books(f"{at:%Y-%m}")
    all_of_it = sum(cost for _, _, cost in running)
    so_far: dict[tuple[str, int], float] = defaultdict(float)
    for record, _, cost in running:
        so_far[record.run_id, record.revision] += cost
    for record, machine, _ in running:
        usd = so_far[record.run_id, record.revision]
        run = budget.books(record.run_id, record.revision)
        if run.passed(usd):
            yield record, machine, _sum_of("the run", run, usd)
        elif account.passed(all_of_it):
            yield record, machine, _sum_of("the account", account, all_of_it)


def _sum_of(what: str, books: Books, running_usd: float) -> str:
    return (
        f"{what} has paid {books.spent_usd:.2f} USD and runs up {running_usd:.2f} more; "
        f"its budget is {books.cap_usd:.2f} USD."
    )
