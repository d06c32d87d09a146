"""`results.json`: everything a run found, joined from its stages, in one object."""

from __future__ import annotations

from typing import Literal

from porewatch.domain.base import Model
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import Finding, SampleOutcome
from porewatch.domain.stage.manifest import OutputFile, PhaseRecord


class RunResults(Model):
    """`screens` hold each sample's quality and read account; `outputs` every published file."""

    schema_version: Literal["1"] = "1"
    run_id: str
    revision: int
    bundle: str
    bundle_sha256: str
    synthetic: bool
    phases: tuple[PhaseRecord, ...]
    outputs: dict[str, OutputFile]
    screens: tuple[SampleScreen, ...]
    unlisted_barcodes: dict[str, int]
    findings: tuple[Finding, ...]
    outcomes: tuple[SampleOutcome, ...]
    alarms: tuple[Alarm, ...] = ()
