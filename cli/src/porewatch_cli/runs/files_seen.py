"""What is known of a run's files, for somebody who looks every second.

Reading them means one item for each file. Their counts are eight items and move with every record,
in one transaction, so the records are read again only when the counts say that there are new ones,
and of a large run not at every look even then.
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
"""What looking may read on the mean while files come: ten thousand are read every twenty seconds.
"""


class FilesSeen:
    """The files of one run, as they were when they were read last."""

    def __init__(self) -> None:
        self._counts: Counts | None = None
        self._files: tuple[FileRecord, ...] = ()
        self._again_at = 0.0

    def of(self, run_id: str, stack: Stack, *, over: bool = False) -> tuple[FileRecord, ...]:
        """The files now, or a moment ago while more keep coming. `over`: the last look, exact."""
        counts = Intake(stack.table).recorded(run_id)
        if counts == self._counts or (time.monotonic() < self._again_at and not over):
            return self._files
        self._counts, self._files = counts, tuple(stack.runs.files_of(run_id).values())
        self._again_at = time.monotonic() + len(self._files) / FILES_A_SECOND
        return self._files
