"""Keep what a machine printed, where `porewatch logs` finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.machines.machine_requests import Asked, BootLog
from porewatch.usecases.instances.authenticate import authenticate

if TYPE_CHECKING:
    from porewatch.adapters.ledger.stages import StageLedger
    from porewatch.adapters.objects import Objects
    from porewatch.usecases.instances.authenticate import Secrets


def keep_boot_log(
    log: BootLog, asked: Asked, *, stages: StageLedger, secrets: Secrets, results: Objects
) -> None:
    """Store it, also of an epoch that is over. MessageRefused without the epoch's proof."""
    authenticate(log, asked.text, asked.mac, stages=stages, secrets=secrets)
    key = s3_keys.boot_log_key(*log.key, log.epoch, log.instance_id)
    results.put(key, log.text, "text/plain; charset=utf-8")
