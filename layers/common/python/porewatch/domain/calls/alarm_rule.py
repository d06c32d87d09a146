"""What a person is alarmed by: a severe finding that met the whole rule of a detection.

The rule is the worker's (`porewatch_worker.suspicions.alarms`) and the same in the run and at its
end. Later handlers compare and forward an alarm; none of them decides again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.panel import Severity
from porewatch.domain.reasons.reason import BesideText


class Level(StrEnum):
    """How much of the run an alarm rests on."""

    PROVISIONAL = "provisional"  # the reads looked at so far, while the run goes on
    FINAL = "final"  # the final result, not alarmed before


class Alarm(Model):
    """One severe detection with the evidence that met the rule.

    For types told by the envelope gene `reads` are its typed reads, for a recombinant those over
    the junction; breadth and identity do not apply there.
    """

    sample: str
    code: str
    name: str
    severity: Severity
    reads: int
    starts: Annotated[int | None, Field(description="distinct start positions")] = None
    breadth: Annotated[float | None, Field(description="share of the genome covered")] = None
    identity: Annotated[float | None, Field(description="matching share of aligned bases")] = None
    rule: Annotated[str, Field(description="the rule that was met, with its numbers")] = ""
    why: Annotated[BesideText, Field(description="`rule`, by code")] = ()
