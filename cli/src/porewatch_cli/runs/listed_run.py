"""A run as `porewatch list` prints it."""

from __future__ import annotations

from porewatch.domain.records.run_record import RunRecord
from porewatch.domain.signatures.steps import State


class ListedRun(RunRecord):
    """`review`: how far the report is signed; None: there is none."""

    review: State | None = None
