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
from porewatch_worker.science.calls import NO_SEQUENCE
from porewatch_worker.science.remarks import IN_EVERY_PIG, shown_code

SYNTHETIC = "SYNTHETIC references: this report says nothing about a real animal."
NO_RESULT = "no_result"  # rule of a row that quantification said nothing about
UNSEEN = "cannot be seen by sequencing"
NOT_HERE = "not in this bundle"
WITHOUT_RESULT = "without a result"
NOT_SCREENED = "not screened"
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


def umbrellas(panel: Sequence[PanelEntry]) -> set[str]:
    """Codes of rows that name a group; their members are counted, they are not."""
    return {entry.code for entry in panel if entry.members or entry.status == "umbrella"}


def screened_members(findings: Sequence[Finding], panel: Sequence[PanelEntry]) -> set[str]:
    """Codes of single members of the list that were screened in at least one sample."""
    members = {entry.code for entry in panel} - umbrellas(panel)
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
    mine = [f for f in v.findings if f.sample in names and f.call is not Call.NOT_SCREENED]
    screened = screened_members(mine, v.panel)
    listed = {entry.code for entry in v.panel}
    extra = {f.code for f in mine} - listed
    member = ("screened panel member", "screened panel members")
    other = ("screened target outside the list", "screened targets outside the list")
    parts = [_found_among(mine, screened, _many(len(screened), *member), len(names))]
    if extra:
        parts.append(_found_among(mine, extra, _many(len(extra), *other), len(names)))
    return " ".join(parts) if screened or extra else "No panel member was screened."


def _found_among(findings: Sequence[Finding], codes: set[str], what: str, samples: int) -> str:
    mine = [f for f in findings if f.code in codes]
    found = [f for f in mine if f.call is Call.DETECTED]
    unsure = len({f.code for f in mine if f.call is Call.INDETERMINATE})
    where = _many(samples, "sample", "samples")
    if found:
        where = f"{len({f.sample for f in found})} of {samples} samples: {_named(found)}"
    head = f"{len({f.code for f in found})} of {what}"
    return f"{head} detected in {where}." + (f" {unsure} indeterminate." if unsure else "")


def _named(found: Sequence[Finding]) -> str:
    order = list(dict.fromkeys((f.code, f.name, f.severity.value) for f in by_severity(found)))
    shown = ", ".join(
        f"{shown_code(code, name)} ({'in every pig' if code in IN_EVERY_PIG else severity})"
        for code, name, severity in order[:_NAMED]
    )
    return shown + (f" and {len(order) - _NAMED} more" if len(order) > _NAMED else "")


def _blind_spots(v: Verdicts) -> str:
    """Rows that no result speaks about, by reason, most basic reason first."""
    screened = screened_members(v.findings, v.panel)
    rules = {f.code: f.rule for f in v.findings}
    reasons = {UNSEEN: 0, NOT_HERE: 0, WITHOUT_RESULT: 0, NOT_SCREENED: 0}
    for entry in v.panel:
        if entry.code not in screened | umbrellas(v.panel):
            reasons[blindness(entry, rules.get(entry.code, NO_RESULT))] += 1
    said = [_rows(n, f"of the list {_verb(why, n)}{why}") for why, n in reasons.items() if n]
    return "; ".join(said) + "." if said else ""


def blindness(entry: PanelEntry, rule: str) -> str:
    """Why a row was not screened, in the words of the decision."""
    if entry.status == "not_by_sequencing":
        return UNSEEN
    return {NO_SEQUENCE: NOT_HERE, NO_RESULT: WITHOUT_RESULT}.get(rule, NOT_SCREENED)


def _verb(why: str, number: int) -> str:
    return "" if why == UNSEEN else "is " if number == 1 else "are "


def _rows(number: int, what: str) -> str:
    return f"{_many(number, 'row', 'rows')} {what}"


def _many(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"
