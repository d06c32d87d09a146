"""What differs between the report that was released and the one that amends it. Pure."""

from __future__ import annotations

from collections.abc import Collection

from porewatch.domain.results.sample_states import RunStates
from porewatch.domain.signatures.signature import Change


def changes(before: RunStates, after: RunStates, samples: Collection[str]) -> tuple[Change, ...]:
    """Outcomes and standings of pathogens that differ in these samples, by sample and code."""
    was, is_now = _values(before, samples), _values(after, samples)
    return tuple(
        Change(sample=sample, code=code, before=old, after=new)
        for sample, code in sorted(was.keys() | is_now.keys())
        if (old := was.get((sample, code), "")) != (new := is_now.get((sample, code), ""))
    )


def _values(states: RunStates, samples: Collection[str]) -> dict[tuple[str, str], str]:
    """(sample, code) -> value; the code is empty for the sample's outcome."""
    found: dict[tuple[str, str], str] = {}
    for state in states.samples:
        if state.sample in samples:
            found[state.sample, ""] = state.outcome.value
            found |= {
                (state.sample, result.code): result.standing.value for result in state.results
            }
    return found
