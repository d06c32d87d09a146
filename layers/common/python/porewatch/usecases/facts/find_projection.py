"""Where the registry's rows of a finished run come from, the fullest source first.

The document beside its reports; for runs that ended before there was one, results.json while that
is kept; then the verdict that the fact itself carries.
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
    """The rows of the run that has ended; None when nothing is kept that has any."""
    if fact.projection_key:
        try:
            return sources.reports.get_json(fact.projection_key, Projection)
        except NotFound:
            _log.warning("%s is gone: the rows come from what is left", fact.projection_key)
    try:
        key = s3_keys.results_key(fact.run_id, fact.revision)
        return projection_of(sources.results.get_json(key, RunResults))
    except NotFound:
        _log.warning("the results of %s are gone: the rows come from its verdict", fact.run_id)
    if fact.verdict is None:
        return None
    return projection_of_verdict(fact.run_id, fact.revision, fact.verdict)
