"""The first sentence of the report, computed: validity, detections, rows that were not screened.

Order: SYNTHETIC, validity (controls decide), detections among the members that were screened, and
the rows that could not be detected. No verdict here is constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.findings import Call, Finding, Outcome, SampleOutcome
from porewatch.domain.calls.panel import PanelEntry, Severity, umbrellas
from porewatch.domain.reasons.reason import Code, Reasons, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.report.parts import numbers
from porewatch_worker.report.parts.i18n import named, say, texts_of
from porewatch_worker.science.call.remarks import shown_code

UNSEEN, NOT_HERE, WITHOUT_RESULT, NOT_SCREENED = "unseen", "not_here", "no_result", "not_screened"
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
        """A sample without an outcome is not reportable: silence is no approval."""
        return next((o.outcome for o in self.outcomes if o.sample == name), Outcome.NOT_REPORTABLE)

    def reasons_of(self, name: str) -> Reasons:
        none = (because(Code.NO_OUTCOME),)
        return next((o.why for o in self.outcomes if o.sample == name), none)

    @property
    def subjects(self) -> list[Sample]:
        """The samples a decision is about; controls are not."""
        return [s for s in self.samples if s.role is SampleRole.SAMPLE]

    @property
    def controls(self) -> list[Sample]:
        return [s for s in self.samples if s.role is not SampleRole.SAMPLE]

    @property
    def failed_controls(self) -> list[Sample]:
        """Those that apply to every sample."""
        return [c for c in self._failed if all(c.governs(s) for s in self.subjects)]

    @property
    def failed_in_a_batch(self) -> list[Sample]:
        """Those that apply to some samples only."""
        return [c for c in self._failed if c not in self.failed_controls]

    @property
    def _failed(self) -> list[Sample]:
        return [s for s in self.controls if self.outcome_of(s.name) is Outcome.NOT_REPORTABLE]

    @property
    def unreportable(self) -> list[Sample]:
        return [s for s in self.subjects if self.outcome_of(s.name) is Outcome.NOT_REPORTABLE]


def run_outcome(v: Verdicts, *, remarked: bool) -> Outcome:
    """Not reportable when a control failed or no sample is; remarks when anything is not plain."""
    if v.failed_controls or len(v.unreportable) == len(v.subjects):
        return Outcome.NOT_REPORTABLE
    plain = all(v.outcome_of(s.name) is Outcome.REPORTABLE for s in v.samples)
    return Outcome.REPORTABLE if plain and not remarked else Outcome.REPORTABLE_WITH_REMARKS


def decide(v: Verdicts) -> str:
    """The decision in one short paragraph."""
    parts = (
        say("decision.synthetic") if v.synthetic else "",
        _validity(v),
        _detections(v),
        _blind_spots(v),
    )
    return say("sentence.joint").join(part for part in parts if part)


def by_weight(findings: Iterable[Finding]) -> list[Finding]:
    """Detected before indeterminate before the rest, then most severe first, sample and code."""
    calls = tuple(Call)
    return sorted(
        findings,
        key=lambda f: (calls.index(f.call), SEVERITIES.index(f.severity), f.sample, f.code),
    )


def screened_members(findings: Sequence[Finding], panel: Sequence[PanelEntry]) -> set[str]:
    """Codes of single members of the list that were screened in at least one sample."""
    members = {entry.code for entry in panel} - umbrellas(panel)
    return {f.code for f in findings if f.call is not Call.NOT_SCREENED} & members


def _validity(v: Verdicts) -> str:
    if not v.subjects:
        return say("decision.controls_only")
    if v.failed_controls:
        first = v.failed_controls[0]
        more = len(v.failed_controls) - 1
        return say(
            "decision.controls_failed" if more else "decision.control_failed",
            control=first.name,
            more=more,
            why=_why(v, first.name),
        )
    parts = [
        say("decision.batch_failed", batch=c.batch, control=c.name, why=_why(v, c.name))
        for c in v.failed_in_a_batch
    ]
    if v.unreportable:
        first = v.unreportable[0]
        parts.append(
            say(
                "decision.samples_not_reportable",
                unreportable=len(v.unreportable),
                all=len(v.subjects),
                first=first.name,
                why=_why(v, first.name),
            )
        )
    return say("sentence.joint").join(parts)


def _why(v: Verdicts, name: str) -> str:
    return say("list.joint").join(texts_of(v.reasons_of(name))) or say("decision.no_reason")


def _detections(v: Verdicts) -> str:
    """Of the samples that may be reported; of the others, what was seen in them all the same."""
    withheld = {s.name for s in (v.subjects if v.failed_controls else v.unreportable)}
    names = {s.name for s in v.subjects} - withheld
    if not v.subjects:
        return ""
    seen = _withheld(v, withheld)
    return say("sentence.joint").join(part for part in (_reported(v, names), seen) if part)


def _withheld(v: Verdicts, names: set[str]) -> str:
    groups = umbrellas(v.panel)
    found = [
        f
        for f in v.findings
        if f.sample in names and f.call is Call.DETECTED and f.code not in groups
    ]
    if not found:
        return ""
    samples = numbers.many(len({f.sample for f in found}), "sample")
    return say("decision.withheld", samples=samples, names=_named(found))


def _reported(v: Verdicts, names: set[str]) -> str:
    if not names:
        return ""
    mine = [f for f in v.findings if f.sample in names and f.call is not Call.NOT_SCREENED]
    screened = screened_members(mine, v.panel)
    listed = {entry.code for entry in v.panel}
    extra = {f.code for f in mine} - listed
    parts = [_found_among(mine, screened, numbers.many(len(screened), "screened"), len(names))]
    if extra:
        parts.append(_found_among(mine, extra, numbers.many(len(extra), "unlisted"), len(names)))
    if not screened and not extra:
        return say("decision.nothing_screened")
    return say("sentence.joint").join(parts)


def _found_among(findings: Sequence[Finding], codes: set[str], what: str, samples: int) -> str:
    mine = [f for f in findings if f.code in codes]
    found = [f for f in mine if f.call is Call.DETECTED]
    there = {f.code for f in found}
    unsure = len({f.code for f in mine if f.call is Call.INDETERMINATE} - there)
    sentence = say("decision.none", found=0, what=what, samples=numbers.many(samples, "sample"))
    if found:
        sentence = say(
            "decision.found",
            found=len({f.code for f in found}),
            what=what,
            some=len({f.sample for f in found}),
            all=samples,
            names=_named(found),
        )
    more = say("decision.unsure", n=unsure) if unsure else ""
    return say("sentence.joint").join(part for part in (sentence, more) if part)


def _named(found: Sequence[Finding]) -> str:
    order = list(dict.fromkeys((f.code, f.name, f.severity.value) for f in by_weight(found)))
    shown = say("name.joint").join(
        say("decision.name", code=shown_code(code, name), what=named("severity", severity))
        for code, name, severity in order[:_NAMED]
    )
    more = len(order) - _NAMED
    return say("list.and_more", shown=shown, more=more) if more > 0 else shown


def _blind_spots(v: Verdicts) -> str:
    """Rows without a result, by reason, most basic reason first."""
    covered = screened_members(v.findings, v.panel) | umbrellas(v.panel)
    why = {f.code: f for f in v.findings}
    reasons = {UNSEEN: 0, NOT_HERE: 0, WITHOUT_RESULT: 0, NOT_SCREENED: 0}
    for entry in v.panel:
        if entry.code not in covered:
            reasons[blindness(entry, why.get(entry.code))] += 1
    parts = [numbers.many(n, f"row_{blind}") for blind, n in reasons.items() if n]
    return say("decision.blind", rows=say("list.joint").join(parts)) if parts else ""


def blindness(entry: PanelEntry, finding: Finding | None) -> str:
    """Why a row was not screened: a key of the message files."""
    if entry.status == "not_by_sequencing":
        return UNSEEN
    if finding is None or finding.has(Code.NO_RESULT):
        return WITHOUT_RESULT
    return NOT_HERE if finding.has(Code.NO_SEQUENCE) else NOT_SCREENED
