"""A file that arrives after its run was sealed is listed in the record of the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.rules import run_endings
from porewatch.domain.runs import RunState

if TYPE_CHECKING:
    from porewatch.adapters.ledger.runs import RunLedger
    from porewatch.adapters.objects import Objects

UNSURE = (RunState.RECEIVING, RunState.SEALED)
"""States in which the manifest may still wait for the file."""
_log = logging.getLogger(__name__)


def note_late(
    record: RunRecord, path: str, *, raw: Objects, runs: RunLedger, clock: Callable[[], datetime]
) -> None:
    """Nothing for a file that was there before the seal, even when its check is reported later."""
    run_id = record.run_id
    if record.state in UNSURE or path in record.late:
        return
    sealed, lying = raw.head(s3_keys.seal_key(run_id)), raw.head(s3_keys.raw_key(run_id, path))
    checked = runs.file(run_id, path)
    came = lying.modified if lying else checked.checked_at if checked else None
    if sealed is None or came is None or came <= sealed.modified:
        return
    runs.apply(run_id, run_endings.late, path, clock())
    _log.warning("%s arrived after run %s was sealed and is not screened", path, run_id)
