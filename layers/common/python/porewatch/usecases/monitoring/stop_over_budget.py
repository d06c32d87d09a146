"""Interrupt work whose actual cost passes a cap, once; nothing more is launched after that.

An instance runs longer than its reservation when its input, its host or the cloud is slower than
the 90th percentile. It is not killed: the worker writes a checkpoint and reports the interruption,
and the next launch is refused with the sum. Raise the budget and seal the run again: it resumes
from the checkpoint.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain.errors import PorewatchError
from porewatch.domain.money.budget import Books
from porewatch.domain.rules.stage_lifecycle import ENDED
from porewatch.domain.stage.instances import Machine
from porewatch.domain.stage.record import StageRecord

if TYPE_CHECKING:
    from porewatch.adapters.ledger.budget import Budget
    from porewatch.compute.executors import Executors
    from porewatch.usecases.instances.time_boxed_sweep import TimeBoxedSweep

_log = logging.getLogger(__name__)
Running = list[tuple[StageRecord, Machine, float]]
"""Running stages, their instances, and the cost of each so far."""


def stop_over_budget(
    records: Iterable[StageRecord],
    seen: Mapping[str, Machine],
    *,
    budget: Budget,
    executor: Executors,
    at: datetime,
    turn: TimeBoxedSweep,
) -> tuple[str, ...]:
    """Interrupt the instances of every run above its cap, and all instances when the account is
    above its cap. Returns their ids. Instances that are ending already are skipped."""
    running = list(_running(records, seen, executor, at))
    stopped: list[str] = []
    if not running:
        return ()
    above = _Above(running, budget, at)

    def stop(one: tuple[StageRecord, Machine, float]) -> None:
        record, machine, _ = one
        try:
            why = above.why(record)
            if why is not None:
                _log.warning("%s of %s is stopped: %s", machine.instance_id, record.run_id, why)
                executor.interrupt(machine.instance_id)
                stopped.append(machine.instance_id)
        except PorewatchError:
            _log.exception("could not check %s against its budget", machine.instance_id)

    turn.over({machine.instance_id: (r, machine, usd) for r, machine, usd in running}, stop)
    return tuple(stopped)


def _running(
    records: Iterable[StageRecord], seen: Mapping[str, Machine], executor: Executors, at: datetime
) -> Iterator[tuple[StageRecord, Machine, float]]:
    for record in records:
        machine = seen.get(record.instance_id or "")
        if machine is None or not machine.alive() or record.state in ENDED:
            continue
        if machine.waiting:  # a queued job costs nothing, and has a deadline of its own
            continue
        seconds = max(0.0, (at - machine.launched_at).total_seconds())
        cost = executor.price(machine.instance_type, machine.purchase, seconds)
        yield record, machine, cost


class _Above:
    """Cost of everything that is running, compared with the caps."""

    def __init__(self, running: Running, budget: Budget, at: datetime) -> None:
        self._budget = budget
        self._account = budget.account_books(f"{at:%Y-%m}")
        self._all_of_it = sum(cost for _, _, cost in running)
        self._so_far: dict[tuple[str, int], float] = defaultdict(float)
        for record, _, cost in running:
            self._so_far[record.run_id, record.revision] += cost

    def why(self, record: StageRecord) -> str | None:
        """Why the instance of this stage has to stop; None when it may continue."""
        usd = self._so_far[record.run_id, record.revision]
        run = self._budget.books(record.run_id, record.revision)
        if run.passed(usd):
            return _sum_of("the run", run, usd)
        if self._account.passed(self._all_of_it):
            return _sum_of("the account", self._account, self._all_of_it)
        return None


def _sum_of(what: str, books: Books, running_usd: float) -> str:
    return (
        f"{what} has spent {books.spent_usd:.2f} USD and running instances add {running_usd:.2f}; "
        f"its budget is {books.cap_usd:.2f} USD."
    )
