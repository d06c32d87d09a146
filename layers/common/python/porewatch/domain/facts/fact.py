"""What all facts have in common.

A fact has a deterministic `fact_id`, so publishing it twice changes nothing. Facts are published
only from the ledger's stream (one publisher), with source `porewatch`.
"""

from __future__ import annotations

from porewatch.domain.base import Model, Moment
from porewatch.domain.runs import RunId

SOURCE = "porewatch"


class Fact(Model):
    """Common to all facts."""

    fact_id: str
    run_id: RunId
    revision: int = 0
    at: Moment

    @classmethod
    def id_of(cls, *about: object) -> str:
        """The id of a fact of this kind about a run, and whatever else tells it from another one.
        Deterministic: publishing the same fact again gives the same id."""
        return ":".join([cls.__name__, *(str(part) for part in about)])
