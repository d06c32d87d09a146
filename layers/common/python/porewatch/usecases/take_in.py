"""What the intake queue tells: a manifest, a final summary, or that a file was checked.

Whoever finds the run sealed and all its files sound starts it. Words from a replayed archive are
heard by the projections; here they start nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import places
from porewatch.domain.base import now
from porewatch.domain.errors import AlreadyDone, Unavailable
from porewatch.domain.landing.names import Landed, classify
from porewatch.domain.runs import RunState
from porewatch.usecases.note_late import note_late
from porewatch.usecases.seal_run import seal_by_manifest, seal_by_summary
from porewatch.usecases.start_run import start_run

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.manifests import Manifests
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.runs import RunLedger

_log = logging.getLogger(__name__)


def take_in(
    key: str,
    *,
    replayed: bool,
    raw: Objects,
    runs: RunLedger,
    manifests: Manifests,
    executions: Executions,
    basecalling: bool,
    default_bundle: str,
    clock: Callable[[], datetime] = now,
) -> None:
    """`key` = the object in the raw bucket that was written or checked. MessageRefused for an odd
    run id; Unavailable while a final summary waits for its files."""
    run_id, path = places.split_raw_key(key)
    if replayed:
        _log.info("replayed: nothing is started for %s", key)
        return
    if path == places.SEAL:
        seal_by_manifest(
            run_id, raw=raw, runs=runs, manifests=manifests, basecalling=basecalling, clock=clock
        )
    elif classify(path) is Landed.SUMMARY:
        seal_by_summary(run_id, raw=raw, runs=runs, clock=clock)
        return  # the manifest it wrote comes by this queue
    else:
        _perhaps_by_summary(run_id, raw=raw, runs=runs, clock=clock)
        note_late(run_id, path, raw=raw, runs=runs, clock=clock)
    start_run(
        run_id,
        raw=raw,
        runs=runs,
        manifests=manifests,
        executions=executions,
        default_bundle=default_bundle,
        clock=clock,
    )


def _perhaps_by_summary(
    run_id: str, *, raw: Objects, runs: RunLedger, clock: Callable[[], datetime]
) -> None:
    """The summary may have come before the file that was checked just now."""
    record = runs.find(run_id)
    if record is None or record.state is not RunState.RECEIVING:
        return
    try:
        seal_by_summary(run_id, raw=raw, runs=runs, clock=clock)
    except (AlreadyDone, Unavailable) as reason:
        _log.info("not sealed yet: %s", reason)
