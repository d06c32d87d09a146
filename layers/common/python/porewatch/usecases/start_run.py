"""Start the execution of a sealed run, once, when every file of its manifest is sound.

Order: the ledger is moved SEALED -> RUNNING on condition of this very manifest (twenty deliveries
at once give one winner) -> the execution is started under a name made of run and digest. A crash
between the two is mended by the next delivery, which finds the run RUNNING and asks again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import places, readiness
from porewatch.domain.base import Model, now
from porewatch.domain.errors import Refused
from porewatch.domain.runs import RunId, RunManifest, RunRecord, RunState, Sha256

if TYPE_CHECKING:
    from porewatch.adapters.executions import Executions
    from porewatch.adapters.manifests import Manifests
    from porewatch.adapters.objects import Objects
    from porewatch.adapters.runs import RunLedger

_log = logging.getLogger(__name__)


class ExecutionInput(Model):
    """What the state machine is told."""

    run_id: RunId
    revision: int
    manifest_digest: Sha256
    profile: str


def start_run(
    run_id: str,
    *,
    raw: Objects,
    runs: RunLedger,
    manifests: Manifests,
    executions: Executions,
    default_bundle: str,
    clock: Callable[[], datetime] = now,
) -> bool:
    """True when this call started the execution."""
    record = runs.find(run_id)
    if record is None or record.state not in (RunState.SEALED, RunState.RUNNING):
        return False
    manifest = manifests.of(run_id, record.revision)
    if record.state is RunState.SEALED:
        try:
            ready = readiness.check(manifest, _present(run_id, raw), runs.files_of(run_id))
        except Refused as refusal:
            _log.warning("run %s is refused: %s", run_id, refusal)
            runs.refuse(run_id, digest=manifest.digest(), problem=str(refusal), at=clock())
            return False
        if not ready:
            _log.info("run %s waits for %d files", run_id, len(ready.waiting_for))
            return False
        arn = executions.arn(run_id, manifest.digest())
        bundle = manifest.bundle or default_bundle
        record = runs.start(manifest, execution_arn=arn, bundle=bundle, at=clock())
    return _execute(record, manifest, executions)


def _present(run_id: str, raw: Objects) -> dict[str, readiness.Lying]:
    prefix = places.raw_key(run_id, "")
    return {head.key.removeprefix(prefix): head for head in raw.keys(prefix)}


def _execute(record: RunRecord, manifest: RunManifest, executions: Executions) -> bool:
    digest = manifest.digest()
    if record.state is not RunState.RUNNING or record.manifest_digest != digest:
        return False  # somebody sealed it anew, or it has ended meanwhile
    order = ExecutionInput(
        run_id=record.run_id,
        revision=record.revision,
        manifest_digest=digest,
        profile=record.profile,
    )
    started = executions.start(record.run_id, digest, order)
    if started:
        _log.info("run %s started, revision %d", record.run_id, record.revision)
    return started
