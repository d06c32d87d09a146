"""Save the console output of an instance that is given up before its worker sent a message.

Usually the worker has uploaded its boot log itself. If it hung, had no network or lost its
permissions, the console output that the cloud keeps is all there is, and that is deleted an hour
after the instance.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import PorewatchError
from porewatch.domain.stage.record import StageRecord, StageState

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects
    from porewatch.compute.executors import Executors

_log = logging.getLogger(__name__)


def keep_console(record: StageRecord, *, results: Objects, executor: Executors) -> None:
    """Save the console where `porewatch logs` finds it, unless the worker sent a message or a boot
    log exists. A failure is logged only."""
    if record.state is not StageState.LAUNCHED or record.instance_id is None:
        return
    try:
        _keep(record, record.instance_id, results, executor)
    except PorewatchError as error:
        _log.warning("could not save the console of %s: %s", record.instance_id, error)


def _keep(record: StageRecord, machine: str, results: Objects, executor: Executors) -> None:
    there = results.keys(s3_keys.epoch_prefix(*record.key, record.epoch))
    if any(s3_keys.boot_log_of(head.key) for head in there):
        return
    printed = executor.console(machine)
    if printed:
        key = s3_keys.console_key(*record.key, record.epoch, machine)
        results.put(key, printed.encode(), "text/plain; charset=utf-8")
