"""How a pathogen stands in a sample: its call, read with the outcome of the sample. Reports and
pages say what this says."""

from __future__ import annotations

from enum import StrEnum

from porewatch.domain.calls.findings import Call, Outcome


class Standing(StrEnum):
    """The one to look at first comes first."""

    DETECTED = "detected"
    INDETERMINATE = "indeterminate"
    NOT_REPORTABLE = "not_reportable"  # nothing was found, and that is no statement
    ENDOGENOUS = "endogenous"
    NOT_DETECTED = "not_detected"
    NOT_TESTED = "not_tested"


FOUND = frozenset({Standing.DETECTED, Standing.INDETERMINATE})


def standing(call: Call | None, outcome: Outcome) -> Standing:
    """`call` None: the run has no such row. In a sample that is not reportable a find is shown all
    the same (in brackets: it is withheld), and an absence is no statement.

    >>> standing(Call.NOT_DETECTED, Outcome.NOT_REPORTABLE).value
    'not_reportable'
    """
    if call is None:
        return Standing.NOT_TESTED
    if call in (Call.DETECTED, Call.INDETERMINATE):
        return Standing(call.value)
    if outcome is Outcome.NOT_REPORTABLE:
        return Standing.NOT_REPORTABLE
    return Standing.NOT_TESTED if call is Call.NOT_SCREENED else Standing(call.value)
