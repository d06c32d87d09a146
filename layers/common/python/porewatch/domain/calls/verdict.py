"""What a finished run comes to, in a form small enough for every channel.

Computed once, from the report (`Report.verdict`), when it is published; ledger, facts, notices,
lists, the API and exit codes render this and nothing else.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.calls.findings import (
    Call,
    Outcome,
)
from porewatch.domain.calls.panel import Severity

MOST_NAMED = 20
"""Detections that are carried by name; a run may have hundreds, and a fact 256 kB."""


class Detection(Model):
    """One pathogen in one sample (controls hold no findings)."""

    sample: str
    code: str
    name: str
    severity: Severity
    reportable: Annotated[bool, Field(description="whether its sample's results are")] = True


class Verdict(Model):
    """`samples` counts samples by outcome and `calls` findings by call, controls left out."""

    outcome: Outcome
    samples: dict[Outcome, int]
    calls: dict[Call, int]
    detections: Annotated[
        tuple[Detection, ...], Field(description="most severe first, MOST_NAMED at most")
    ] = ()
    withheld: Annotated[
        int, Field(ge=0, description="detections in samples that are not reportable")
    ] = 0
    lost_files: Annotated[
        int, Field(ge=0, description="files of the run that could not be read, or never came")
    ] = 0

    @property
    def detected(self) -> int:
        """Sample and pathogen pairs, withheld ones too."""
        return self.calls.get(Call.DETECTED, 0)
