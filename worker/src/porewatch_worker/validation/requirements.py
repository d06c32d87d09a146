"""What the pack must show. The bounds were set before it was run; they are never fitted to it."""

from __future__ import annotations

from collections.abc import Sequence

from porewatch_worker.validation.result import Requirement, SetResult, Share
from porewatch_worker.validation.sets import SERIES

LEAST_POSITIVE = 0.95
LEAST_NEGATIVE = 0.995


def requirements(
    positive: Share | None,
    at_limit: Share | None,
    negative: Share | None,
    sets: Sequence[SetResult],
    stated: float,
) -> tuple[Requirement, ...]:
    """Each bound with what was measured."""
    quiet = [s for s in sets if s.name != SERIES]
    false = [f"{call} ({s.name})" for s in quiet for call in s.false_calls]
    alarms = sum(s.false_alarms for s in sets)
    return (
        _at_least("PPA at ten reads of a genome or more", positive, LEAST_POSITIVE),
        _at_least(f"PPA where {stated:.1f} reads (the stated LOD95) are expected or more",
                  at_limit, LEAST_POSITIVE),
        _at_least("NPA over all members and samples", negative, LEAST_NEGATIVE),
        Requirement(
            says="nothing detected that is not there, in any set but the series",
            measured=", ".join(false) or "none",
            holds=not false,
        ),
        Requirement(
            says="no recombinant alarm without a recombinant",
            measured=str(alarms),
            holds=not alarms,
        ),
    )  # fmt: skip


def _at_least(what: str, found: Share | None, least: float) -> Requirement:
    measured = "not measured"
    if found:
        measured = f"{found.share:.1%} ({found.hits} of {found.trials})"
    return Requirement(
        says=f"{what}: at least {least:.1%}",
        measured=measured,
        holds=found is not None and found.share >= least,
        shown=found is not None and found.low >= least,
        trials=found.trials if found else None,
    )
