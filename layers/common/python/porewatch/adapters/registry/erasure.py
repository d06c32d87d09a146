"""Delete the rows of a run, and prevent late facts from adding new ones.

Both take a lock of the run first, and check after that: writers of rows (shared) and deletions
(exclusive) never overlap. Call inside of a transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from porewatch.adapters.registry.database import Registry

TABLES = ("workflow_records", "samples", "phase_records", "findings", "files")
"""Tables with data of a run. Its costs stay: they are the books', and hold no data of samples."""

_SHARED = "SELECT 1 AS held FROM pg_advisory_xact_lock_shared(hashtext(:run_id))"
_ALONE = "SELECT 1 AS held FROM pg_advisory_xact_lock(hashtext(:run_id))"
_IS_DELETED = "SELECT 1 AS deleted FROM deleted_runs WHERE run_id = :run_id"
_COUNT = "SELECT count(*) AS n FROM {} WHERE run_id = :run_id"
_DELETE = "DELETE FROM {} WHERE run_id = :run_id"
_TOMBSTONE = """
INSERT INTO deleted_runs (run_id, deleted_by, reason, deleted_at)
VALUES (:run_id, :by, :reason, CAST(:at AS timestamptz)) ON CONFLICT (run_id) DO NOTHING
"""


class RegistryErasure:
    """Deleted runs in the registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def is_deleted(self, run_id: str) -> bool:
        """Whether the run was deleted; it cannot be deleted until the transaction ends."""
        self._registry.execute(_SHARED, run_id=run_id)
        return bool(self._registry.execute(_IS_DELETED, run_id=run_id))

    def count(self, run_id: str) -> int:
        """Number of rows that a deletion removes."""
        return sum(
            int(self._registry.execute(_COUNT.format(table), run_id=run_id)[0]["n"])
            for table in TABLES
        )

    def erase(self, run_id: str, *, by: str, reason: str, at: datetime) -> None:
        """Delete all rows, and remember that the run was deleted."""
        self._registry.execute(_ALONE, run_id=run_id)
        self._registry.execute(_TOMBSTONE, run_id=run_id, by=by, reason=reason, at=at)
        for table in TABLES:
            self._registry.execute(_DELETE.format(table), run_id=run_id)
