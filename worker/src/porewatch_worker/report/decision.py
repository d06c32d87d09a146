"""The first sentence of the report, computed: who may rely on it, what was found, what was blind.

Order: SYNTHETIC, validity (controls decide), detections among the members that were screened, and
the rows that nobody could have seen. Nothing here is a constant verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from porewatch.domain.findings import Call, Finding, Outcome, SampleOutcome
from porewatch.domain.panel import PanelEntry, Severity
from porewatch.domain.runs import Sample, SampleRole

SYNTHETIC = "SYNTHETIC references: this report says nothing about a real animal."
NO_RESULT = "no_result"  # rule of a row that quantification said nothing about
SEVERITIES = tuple(Severity)
_NAMED = 5


@dataclass(frozen=True)
class Verdicts:
    """What a decision rests on: samples by role and outcome, findings by sample."""

    samples: Sequence[Sample]
    outcomes: Sequence[SampleOutcome]
    findings: Sequence[Finding]
    panel: Sequence[PanelEntry]
    synthetic: bool

    def outcome_of(self, name: str) -> Outcome:
        """A sample without an outcome is invalid: silence never releases."""
        return next((o.outcome for o in self.outcomes if o.sample == name), Outcome.INVALID)

    def reasons_of(self, name: str) -> tuple[str, ...]:
        return next((o.reasons for o in self.outcomes if o.sample == name), ("no outcome",))

    @property
    def subjects(self) -> list[Sample]:
        """The samples a decision is about; controls are not."""
        return [s for s in self.samples if s.role is SampleRole.SAMPLE]

    @property
    def controls(self) -> list[Sample]:
        return [s for s in self.samples if s.role is not SampleRole.SAMPLE]

    @property
    def failed_controls(self) -> list[Sample]:
        return [s for s in self.controls if self.outcome_of(s.name) is Outcome.INVALID]

    @property
    def invalid_subjects(self) -> list[Sample]:
        return [s for s in self.subjects if self.outcome_of(s.name) is Outcome.INVALID]


def run_outcome(v: Verdicts, *, remarked: bool) -> Outcome:
    """Invalid when a control failed or no sample is valid; remarks when anything is not plain."""
    if v.failed_controls or len(v.invalid_subjects) == len(v.subjects):
        return Outcome.INVALID
    plain = all(v.outcome_of(s.name) is Outcome.RELEASED for s in v.samples)
    return Outcome.RELEASED if plain and not remarked else Outcome.RELEASED_WITH_REMARKS


def decide(v: Verdicts) -> str:
    """The decision in one short paragraph."""
    parts = (
        SYNTHETIC if v.synthetic else "",
        _validity(v),
        _detections(v),
        _blind_spots(v),
    )
    return " ".join(part for part in parts if part)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Most severe first, then detected before indeterminate, then sample and code."""
    calls = tuple(Call)
    return sorted(
        findings,
        key=lambda f: (SEVERITIES.index(f.severity), calls.index(f.call), f.sample, f.code),
    )


def screened_members(findings: Sequence[Finding], panel: Sequence[PanelEntry]) -> set[str]:
    """Codes of single members (no umbrella rows) that were screened in at least one sample."""
    members = {entry.code for entry in panel if entry.status != "umbrella"}
    return {f.code for f in findings if f.call is not Call.NOT_SCREENED} & members


def _validity(v: Verdicts) -> str:
    if not v.subjects:
        return "The run holds controls only; it decides nothing about a sample."
    if v.failed_controls:
        first = v.failed_controls[0]
        why = "; ".join(v.reasons_of(first.name)) or "no reason was recorded"
        more = f" and {len(v.failed_controls) - 1} more" if len(v.failed_controls) > 1 else ""
        return f"INVALID, no result is released: control {first.name}{more} failed ({why})."
    if v.invalid_subjects:
        first = v.invalid_subjects[0]
        why = "; ".join(v.reasons_of(first.name)) or "no reason was recorded"
        head = f"INVALID: {len(v.invalid_subjects)} of {len(v.subjects)} samples"
        return f"{head} ({first.name}: {why})."
    return ""


def _detections(v: Verdicts) -> str:
    names = {s.name for s in v.subjects}
    if not names:
        return ""
    mine = [f for f in v.findings if f.sample in names]
    screened = screened_members(mine, v.panel)
    found = [f for f in mine if f.call is Call.DETECTED and f.code in screened]
    unsure = {f.code for f in mine if f.call is Call.INDETERMINATE and f.code in screened}
    if not screened:
        return "No panel member was screened."
    codes = {f.code for f in found}
    where = len({f.sample for f in found})
    listed = "" if not codes else f": {_named(found)}"
    samples = f"{where} of {len(names)} samples" if codes else _rows(len(names), "", "sample")
    text = f"{len(codes)} of {len(screened)} screened panel members detected in {samples}{listed}."
    return text + (f" {len(unsure)} indeterminate." if unsure else "")


def _named(found: Sequence[Finding]) -> str:
    order = list(dict.fromkeys((f.code, f.severity.value) for f in by_severity(found)))
    shown = ", ".join(f"{code} ({severity})" for code, severity in order[:_NAMED])
    return shown + (f" and {len(order) - _NAMED} more" if len(order) > _NAMED else "")


def _blind_spots(v: Verdicts) -> str:
    unseen = sum(entry.status == "not_by_sequencing" for entry in v.panel)
    screened = screened_members(v.findings, v.panel)
    silent = {f.code for f in v.findings if f.rule == NO_RESULT} - screened
    screenable = {e.code for e in v.panel if e.status in ("screened", "partly")}
    parts = (
        _rows(unseen, "of the list cannot be seen by sequencing"),
        _rows(len(screenable - screened - silent), "of the list not in this bundle"),
        _rows(len(screenable & silent), "of the list without a result"),
    )
    said = "; ".join(part for part in parts if part)
    return f"{said}." if said else ""


def _rows(number: int, what: str, of: str = "row") -> str:
    return f"{number} {of}{'' if number == 1 else 's'} {what}".rstrip() if number else ""
