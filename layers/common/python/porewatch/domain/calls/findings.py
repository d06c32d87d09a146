"""What the phases measured and what is called, with the evidence each call rests on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, computed_field, model_validator

from porewatch.domain.base import Model
from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.calls.evidence import Evidence
from porewatch.domain.calls.panel import Severity
from porewatch.domain.calls.perv import (
    PervScreen,
    PervTypeCount,
)
from porewatch.domain.reasons.reason import (
    Code,
    Reasons,
    clauses,
    of_version_1,
    sentences,
    texts,
)


class Call(StrEnum):
    DETECTED = "detected"
    INDETERMINATE = "indeterminate"
    ENDOGENOUS = "endogenous"  # what every animal of the host species carries, as expected
    NOT_DETECTED = "not_detected"
    NOT_SCREENED = "not_screened"


class Quantity(Model):
    """A value with its unit and 95 % interval (`low`, `high`), and how it was computed."""

    value: float | None
    low: float | None
    high: float | None
    unit: str
    how: Annotated[Reasons, Field(description="how it was computed, by code")] = ()
    remarks: Annotated[Reasons, Field(description="what limits it, by code")] = ()
    basis: Annotated[
        Literal["", "spike", "yield", "host", "sequenced"],
        Field(description="what the value was measured against"),
    ] = ""
    parts: Annotated[
        dict[str, float],
        Field(description="relative standard uncertainty by source: counting, spike_in, ..."),
    ] = {}
    efficiency: Annotated[
        float | None,
        Field(description="share of a genome's bases that reach the count: divided out of it"),
    ] = None
    disagrees: Annotated[
        bool, Field(description="spike-in and yield give loads whose intervals do not overlap")
    ] = False

    @computed_field(description="`how` in English")  # type: ignore[prop-decorator]
    @property
    def method(self) -> str:
        return clauses(self.how)

    @computed_field(description="`remarks` in English")  # type: ignore[prop-decorator]
    @property
    def remark(self) -> str:
        return clauses(self.remarks)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, method="how", remark="remarks")


class Finding(Model):
    """One panel member in one sample: the call, the rule that fired, and why to believe it."""

    sample: str
    code: str
    name: str
    severity: Severity
    call: Call
    why: Annotated[Reasons, Field(description="why this is the call, by code")] = ()
    evidence: Evidence | None = None
    quantities: tuple[Quantity, ...] = ()
    lod95: Quantity | None = None
    remarks: Annotated[Reasons, Field(description="what must be said beside it, by code")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def rule(self) -> str:
        return clauses(self.why)

    @computed_field(description="`remarks` in English")  # type: ignore[prop-decorator]
    @property
    def remark(self) -> str:
        return sentences(self.remarks)

    def has(self, *reasons: Code) -> bool:
        """Whether one of these is among its reasons."""
        return any(reason.code in reasons for reason in self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, rule="why", remark="remarks", codes="reasons")


class JunctionSite(Model):
    """Junction reads that change type at one place of env; `low` and `high` count from 1."""

    left: str
    right: str
    low: int
    high: int
    reads: int
    molecules: int
    call: Call
    why: Annotated[Reasons, Field(description="why this is the call, by code")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def rule(self) -> str:
        return clauses(self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, rule="why")


class PervType(Model):
    """One type in one sample. `name` says SYNTHETIC when its references are surrogates."""

    name: str
    counted: PervTypeCount
    copies: Quantity | None = None


class PervResult(Model):
    """PERV in one sample: what was counted, copies per genome, recombinants, alarms with reasons.

    `synthetic`: a reference is a surrogate, so no type is named. `limit`: what may prevent a
    statement (no env coordinates in the bundle, RNA, no host reads).
    """

    sample: str
    material: Literal["dna", "rna"]
    synthetic: bool
    types_told: tuple[str, ...] = ()
    counted: PervScreen
    types: tuple[PervType, ...] = ()
    copies: Quantity | None = None
    sites: tuple[JunctionSite, ...] = ()
    type_c: Annotated[Call | None, Field(description="the call on type C, by env reads")] = None
    type_c_why: Annotated[Reasons, Field(description="why, by code")] = ()
    smallest_share: Annotated[
        float | None,
        Field(description="share of PERV copies that a recombinant needs to be seen (95 %)"),
    ] = None
    alarm_reasons: Annotated[Reasons, Field(description="what raises an alarm, by code")] = ()
    limit_reasons: Annotated[Reasons, Field(description="what prevents a statement, by code")] = ()

    @computed_field(description="`type_c_why` in English")  # type: ignore[prop-decorator]
    @property
    def type_c_rule(self) -> str:
        return clauses(self.type_c_why)

    @computed_field(description="`alarm_reasons` in English")  # type: ignore[prop-decorator]
    @property
    def alarms(self) -> tuple[str, ...]:
        return texts(self.alarm_reasons)

    @computed_field(description="`limit_reasons` in English")  # type: ignore[prop-decorator]
    @property
    def limits(self) -> tuple[str, ...]:
        return texts(self.limit_reasons)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(
            data, type_c_rule="type_c_why", alarms="alarm_reasons", limits="limit_reasons"
        )


class Outcome(StrEnum):
    """Whether results may be reported, best first. (Release is said of animals and material.)

    >>> Outcome("released_with_remarks")  # the words of earlier versions are still read
    <Outcome.REPORTABLE_WITH_REMARKS: 'reportable_with_remarks'>
    """

    REPORTABLE = "reportable"
    REPORTABLE_WITH_REMARKS = "reportable_with_remarks"
    NOT_REPORTABLE = "not_reportable"

    @classmethod
    def _missing_(cls, value: object) -> Outcome | None:
        return cls(_EARLIER_NAMES[value]) if value in _EARLIER_NAMES else None


_EARLIER_NAMES: dict[object, str] = {
    "released": "reportable",
    "released_with_remarks": "reportable_with_remarks",
    "invalid": "not_reportable",
}


class SampleOutcome(Model):
    sample: str
    outcome: Outcome
    why: Annotated[Reasons, Field(description="Reasons for it, by code.")] = ()

    @computed_field(description="`why` in English")  # type: ignore[prop-decorator]
    @property
    def reasons(self) -> tuple[str, ...]:
        return texts(self.why)

    def has(self, *reasons: Code) -> bool:
        """Whether one of these is among its reasons."""
        return any(reason.code in reasons for reason in self.why)

    @model_validator(mode="before")
    @classmethod
    def _version_1(cls, data: Any) -> Any:
        return of_version_1(data, reasons="why", codes="codes")


class Crosstalk(Model):
    """Share of reads in one sample that belong to another barcode, with 95 % limits.

    `ends`: by what the reads' own ends show. `marker`: reads of a target that was only put into
    other samples, as a share of all its reads. `over`: `low` is above the budget.
    """

    sample: str
    basis: Literal["ends", "marker"]
    marker: str
    stray_reads: int
    reads: int
    share: float
    low: float
    high: float
    budget: float
    over: bool


class ReleaseRules(Model):
    """Under which release policy the outcomes were given."""

    policy: str
    purpose: str
    version: str
    sha256: str


class Quantification(Model):
    """`quantification.json`: findings for every panel row and sample, and control outcomes."""

    schema_version: Literal["1"] = "1"
    findings: tuple[Finding, ...]
    outcomes: tuple[SampleOutcome, ...]
    spike_recovery: dict[str, Quantity] = {}
    perv: tuple[PervResult, ...] = ()
    crosstalk: tuple[Crosstalk, ...] = ()
    release: ReleaseRules | None = None
    alarms: Annotated[
        tuple[Alarm, ...], Field(description="severe detections that somebody is alerted to")
    ] = ()
