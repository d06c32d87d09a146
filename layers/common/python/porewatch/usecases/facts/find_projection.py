"""Find the source of a finished run's registry rows, the most complete one first.

The projection beside the reports; for runs that ended before there was one, results.json while it
is retained; then the verdict in the fact itself.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from porewatch.domain import s3_keys
from porewatch.domain.errors import NotFound
from porewatch.domain.facts.registry_projection import (
    Projection,
    projection_of,
    projection_of_verdict,
)
from porewatch.domain.facts.run_facts import RunCompleted
from porewatch.domain.results.run_results import RunResults

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """The buckets of reports and of intermediate results."""

    reports: Objects
    results: Objects


def find_projection(fact: RunCompleted, sources: Sources) -> Projection | None:
    """The rows of a completed run; None when no source is left."""
    if fact.projection_key:
        try:
            return sources.reports.get_json(fact.projection_key, Projection)
        except NotFound:
            _log.warning("%s is missing: falling back to the results", fact.projection_key)
    try:
        key = s3_keys.results_key(fact.run_id, fact.revision)
        return projection_of(sources.results.get_json(key, RunResults))
    except NotFound:
        _log.warning("the results of %s are missing: falling back to its verdict", fact.run_id)
    if fact.verdict is None:
        return None
    return projection_of_verdict(fact.run_id, fact.revision, fact.verdict)
