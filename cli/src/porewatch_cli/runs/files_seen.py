"""The file records of a run, cached for a caller that polls every second.

Reading the records costs one item for each file. Their counts are eight items, updated in the same
transaction as each record. So the records are read again only when the counts have changed, and
for a large run less often than that.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from porewatch.adapters.ledger.intake_counters import Intake

if TYPE_CHECKING:
    from porewatch.domain.records.file_record import FileRecord
    from porewatch.domain.uploads.intake import Counts
    from porewatch_cli.stack import Stack

FILES_A_SECOND = 500
"""Records read each second on average while files arrive: 10,000 every 20 seconds."""


class FilesSeen:
    """The files of one run, as of the last read."""

    def __init__(self) -> None:
        self._counts: Counts | None = None
        self._files: tuple[FileRecord, ...] = ()
        self._again_at = 0.0

    def of(self, run_id: str, stack: Stack, *, over: bool = False) -> tuple[FileRecord, ...]:
        """The files now, or of a moment ago while more arrive. `over`: the last read, exact."""
        counts = Intake(stack.table).recorded(run_id)
        if counts == self._counts or (time.monotonic() < self._again_at and not over):
            return self._files
        self._counts, self._files = counts, tuple(stack.runs.files_of(run_id).values())
        self._again_at = time.monotonic() + len(self._files) / FILES_A_SECOND
        return self._files
