"""A machine is given up whose worker never spoke: what it printed is kept, to tell why.

As a rule it has sent its boot log itself. One that hung, had no network or lost its rights could
not; then the cloud's copy of its console is all there is, and goes an hour after the machine.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import PorewatchError
from porewatch.domain.stage.record import StageRecord, StageState

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.compute.executor import Executor

_log = logging.getLogger(__name__)


def keep_console(record: StageRecord, *, results: Objects, executor: Executor) -> None:
    """Puts the console of the record's machine where `porewatch logs` finds it, unless its worker
    spoke or a boot log lies there. Looking after the stage never fails by it."""
    if record.state is not StageState.LAUNCHED or record.instance_id is None:
        return
    try:
        _keep(record, record.instance_id, results, executor)
    except PorewatchError as error:
        _log.warning("the console of %s is not kept: %s", record.instance_id, error)


def _keep(record: StageRecord, machine: str, results: Objects, executor: Executor) -> None:
    there = results.keys(s3_keys.epoch_prefix(*record.key, record.epoch))
    if any(s3_keys.boot_log_of(head.key) for head in there):
        return
    printed = executor.console(machine)
    if printed:
        key = s3_keys.console_key(*record.key, record.epoch, machine)
        results.put(key, printed.encode(), "text/plain; charset=utf-8")
