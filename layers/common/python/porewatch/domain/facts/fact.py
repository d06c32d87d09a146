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


def fact_id(kind: type[Fact], run_id: str, *rest: object) -> str:
    """Deterministic: publishing the same fact again gives the same id."""
    return ":".join([kind.__name__, run_id, *(str(part) for part in rest)])
