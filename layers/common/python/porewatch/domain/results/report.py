"""The report, one model for JSON, HTML and PDF. Its JSON Schema is published in docs/."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model, Moment
from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.findings import (
    Call,
    Crosstalk,
    Finding,
    Outcome,
    PervResult,
    Quantity,
    ReleaseRules,
    SampleOutcome,
)
from porewatch.domain.calls.panel import PanelEntry, Severity, umbrellas
from porewatch.domain.calls.verdict import MOST_NAMED, Detection, Verdict
from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.identity import Laboratory
from porewatch.domain.money.cost import Bill
from porewatch.domain.reasons.reason import Reasons, clauses, of_version_1, texts
from porewatch.domain.results.audit import AuditTrail, SignOff
from porewatch.domain.runs import InputFile, Sample, SampleRole, Sequencing
from porewatch.domain.stage.manifest import (
    PhaseRecord,
    TimelineEntry,
)
from porewatch.domain.stage.quarantine import QuarantinedUnit
from porewatch.domain.stage.screening_parameters import ScreeningParameters


class Provenance(Model):
    """What made this report; enough to make it again."""

    porewatch_version: str
    tools: dict[str, str]
    bundle: str
    bundle_sha256: str
    bundle_synthetic: bool
    panel: str
    panel_version: str
    panel_sha256: str = ""
    parameters: ScreeningParameters
    parameters_sha256: str
    manifest_sha256: str
    basecalled: Annotated[
        Reasons, Field(description="how signal became bases: here or before, by code")
    ] = ()

    @computed_field(description="`basecalled` in English")  # type: ignore[prop-decorator]
    @property
    def basecalling(self) -> str:
        return clauses(self.basecalled)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, basecalling="basecalled")


NEIGHBOURS = ("1", "3")
"""Versions of `report.json` that are read beside our own, 2."""


class Report(Model):
    """`report.json`. Everything except `VOLATILE` is a pure
    function of inputs, bundle and parameters (equal for interrupted and uninterrupted runs)."""

    schema_version: Literal["2"] = "2"
    run_id: str
    revision: int
    created_at: Moment
    synthetic: bool
    outcome: Outcome = Outcome.NOT_REPORTABLE
    decision: str
    inputs: tuple[InputFile, ...]
    samples: tuple[Sample, ...]
    sequencing: Sequencing
    laboratory: Laboratory | None = None
    left_out: Annotated[
        tuple[LeftOut, ...], Field(description="files that were not screened, by reason")
    ] = ()
    lost: Annotated[
        tuple[LostFile, ...], Field(description="files whose reads could not be screened")
    ] = ()
    expected: Annotated[
        tuple[Expected, ...], Field(description="kinds of which fewer files came than were counted")
    ] = ()
    outcomes: tuple[SampleOutcome, ...]
    findings: tuple[Finding, ...]
    screens: tuple[SampleScreen, ...]
    unlisted_barcodes: dict[str, int] = {}
    spike_recovery: dict[str, Quantity] = {}
    perv: tuple[PervResult, ...] = ()
    panel: tuple[PanelEntry, ...]
    remark_reasons: Annotated[
        Reasons, Field(description="what must be said beside the results, by code")
    ] = ()
    quarantined: tuple[QuarantinedUnit, ...] = ()
    provenance: Provenance
    phases: tuple[PhaseRecord, ...]
    timeline: tuple[TimelineEntry, ...]
    bill: Bill | None
    crosstalk: tuple[Crosstalk, ...] = ()
    release: ReleaseRules | None = None
    audit: AuditTrail | None = None
    sign_off: SignOff | None = None

    @computed_field(description="`remark_reasons` in English")  # type: ignore[prop-decorator]
    @property
    def remarks(self) -> tuple[str, ...]:
        return texts(self.remark_reasons)

    @model_validator(mode="before")
    @classmethod
    def _of_a_neighbouring_version(cls, data: Any) -> Any:
        """Version 1 has texts alone, and a worker may be one version ahead (`domain.base`): of its
        report, what is known here is read. So a field with a new meaning gets a new name."""
        read = of_version_1(data, remarks="remark_reasons")
        if isinstance(read, dict) and read.get("schema_version") in NEIGHBOURS:
            return {**read, "schema_version": "2"}
        return read

    @property
    def subjects(self) -> frozenset[str]:
        """Names of the samples that the report is about; controls are not."""
        return frozenset(s.name for s in self.samples if s.role is SampleRole.SAMPLE)

    def outcome_of(self, sample: str) -> Outcome:
        """A sample without an outcome is not reportable: silence is no approval."""
        there = (o.outcome for o in self.outcomes if o.sample == sample)
        return next(there, Outcome.NOT_REPORTABLE)

    @property
    def detected(self) -> frozenset[tuple[str, str]]:
        """(sample, code) of every pathogen detected in a sample: how many these are is what
        `findings` says wherever a run is told in one line (ledger, `porewatch list`, messages,
        demo). What a control holds is no finding; a group is counted by its members."""
        subjects, groups = self.subjects, umbrellas(self.panel)
        return frozenset(
            (f.sample, f.code)
            for f in self.findings
            if f.call is Call.DETECTED and f.sample in subjects and f.code not in groups
        )

    @property
    def verdict(self) -> Verdict:
        """What every channel says of this run. A sample without an outcome is not reportable."""
        by_sample = {o.sample: o.outcome for o in self.outcomes}
        outcomes = {s: by_sample.get(s, Outcome.NOT_REPORTABLE) for s in self.subjects}
        samples = Counter(outcomes.values())
        withheld = {s for s, o in outcomes.items() if o is Outcome.NOT_REPORTABLE}
        return Verdict(
            outcome=self.outcome,
            samples={outcome: samples[outcome] for outcome in Outcome if samples[outcome]},
            calls=self._calls(),
            detections=tuple(
                Detection(
                    sample=f.sample,
                    code=f.code,
                    name=f.name,
                    severity=f.severity,
                    reportable=f.sample not in withheld,
                )
                for f in self._named()
            ),
            withheld=sum(sample in withheld for sample, _ in self.detected),
            lost_files=len(self.lost) + sum(each.missing for each in self.expected),
        )

    def _calls(self) -> dict[Call, int]:
        """Findings of the samples by call, members of the list only."""
        subjects, groups = self.subjects, umbrellas(self.panel)
        calls = Counter(
            f.call for f in self.findings if f.sample in subjects and f.code not in groups
        )
        calls[Call.DETECTED] = len(self.detected)
        return {call: calls[call] for call in Call if calls[call]}

    def _named(self) -> list[Finding]:
        """Detections, the most severe first, as many as every channel can carry."""
        severities, detected = tuple(Severity), self.detected
        found = [f for f in self.findings if (f.sample, f.code) in detected]
        found.sort(key=lambda f: (severities.index(f.severity), f.sample, f.code))
        return found[:MOST_NAMED]


VOLATILE = ("created_at", "timeline", "bill", "phases", "audit", "sign_off")
"""Fields of `Report` that tell of time and money; all others must not depend on interruptions."""
