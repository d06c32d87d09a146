"""`porewatch-worker run`: called by the user-data of an instance and by the container of a job.

Exit codes: 0 published, interrupted, or owned by another instance; 1 failed; 2 not set up
(environment, tags); 3 the input or the configuration was refused. The control plane is notified in
every case but 2.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from porewatch.domain.errors import PorewatchError
from porewatch_worker import __version__
from porewatch_worker.instance.attempt import (
    NOT_SET_UP,
    Cloud,
    run_attempt,
)
from porewatch_worker.instance.instance_metadata import InstanceMetadata
from porewatch_worker.instance.log_shipping import FORMAT
from porewatch_worker.settings import WorkerSettings, read_settings
from porewatch_worker.stage.stop import (
    Stop,
    stopped_by_signals,
)

METADATA_PATIENCE = {
    "AWS_METADATA_SERVICE_TIMEOUT": "5",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "5",
}
"""boto3 requests credentials from the metadata service once, with a timeout of a second: a slow
service during boot would leave the worker without any."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code."""
    parser = argparse.ArgumentParser(prog="porewatch-worker", description=__doc__)
    parser.add_argument("command", choices=["run"], help="run the assigned stage")
    parser.add_argument("--version", action="version", version=__version__)
    parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=FORMAT, stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    for name, value in METADATA_PATIENCE.items():
        os.environ.setdefault(name, value)
    stop = Stop()
    try:
        with stopped_by_signals(stop):
            settings = read_settings()
            return run_attempt(settings, _cloud(settings, stop), stop)
    except PorewatchError as e:
        print(f"porewatch-worker: {e}", file=sys.stderr)
        return NOT_SET_UP


def _cloud(settings: WorkerSettings, stop: Stop) -> Cloud:
    from porewatch.adapters.caller import user_id  # noqa: PLC0415  (boto3 takes its time)
    from porewatch.adapters.ledger.stages import StageLedger  # noqa: PLC0415
    from porewatch.adapters.ledger.worker_notes import WorkerNotes  # noqa: PLC0415
    from porewatch.adapters.messages.worker_queue import WorkerQueue  # noqa: PLC0415
    from porewatch.adapters.table import Table  # noqa: PLC0415
    from porewatch_worker.instance.run_session import RunSession  # noqa: PLC0415
    from porewatch_worker.instance.service_outages import (  # noqa: PLC0415
        LONGEST_S,
        Patience,
        PatientDownloads,
    )

    patience = Patience(stop, settings.patience_s or LONGEST_S)
    metadata = InstanceMetadata(settings.metadata)
    if settings.broker:
        keys = RunSession(settings, metadata)
        keys.use()
    table = Table(settings.ledger_table)
    return Cloud(
        metadata=metadata,
        ledger=StageLedger(table),
        notes=WorkerNotes(table),
        queue=WorkerQueue(settings.worker_queue_url),
        raw=PatientDownloads.of(settings.raw_bucket, patience),
        results=PatientDownloads.of(settings.results_bucket, patience),
        bundles=PatientDownloads.of(settings.references_bucket, patience)
        if settings.references_bucket
        else None,
        user_id=keys.user_id if settings.broker else user_id,
        patience=patience,
    )


if __name__ == "__main__":
    sys.exit(main())
