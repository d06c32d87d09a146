"""One sample's own report: its results and its controls, without any other sample.

A run holds samples of several clients. Identifiers of other samples (name, animal, barcode, files,
requester) must not reach this reader: remarks with them are left out, and identifiers within
reasons are redacted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.inputs import sample_keys
from porewatch.domain.reasons.reason import Reason, Reasons, Value
from porewatch.domain.results.report import Report
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.report.compose import first_page, provenance_facts
from porewatch_worker.report.pages.first_page import (
    controls,
    found_in_few,
)
from porewatch_worker.report.pages.first_sentence import (
    Verdicts,
    decide,
    run_outcome,
)
from porewatch_worker.report.pages.identity import identity
from porewatch_worker.report.pages.results.findings import (
    findings,
    quantities,
)
from porewatch_worker.report.pages.results.limits import (
    could_be_seen,
    could_not_be_seen,
)
from porewatch_worker.report.pages.results.perv import perv
from porewatch_worker.report.pages.results.samples import samples
from porewatch_worker.report.pages.run_record.release_and_signoff import sign_off
from porewatch_worker.report.parts.document import (
    Document,
    Section,
)
from porewatch_worker.report.parts.i18n import say, speaking
from porewatch_worker.report.parts.languages import SOURCE, Language


def file_keys(report: Report) -> dict[str, str]:
    """Name of each sample that is no control -> its form in file names."""
    keys = sample_keys.file_keys(report.samples)
    subjects = report.subjects
    return {name: key for name, key in keys.items() if name in subjects}


def of_sample(report: Report, name: str, language: Language = SOURCE) -> Report:
    """The part of `report` on sample `name`, with a decision of its own. Names of other samples in
    its texts are replaced by a phrase in `language`."""
    included = _included(report, name)
    names = {s.name for s in included}
    cover = cover_of(report, name, language)
    foreign, covered = cover.foreign, cover.covered
    outcomes = tuple(
        o.model_copy(update={"why": cover.all(o.why)}) for o in report.outcomes if o.sample in names
    )
    rows = tuple(
        f.model_copy(update={"why": cover.all(f.why), "remarks": cover.all(f.remarks)})
        for f in report.findings
        if f.sample in names
    )
    remarks = tuple(remark for remark in report.remark_reasons if not cover.names_another(remark))
    verdicts = Verdicts(
        samples=included,
        outcomes=outcomes,
        findings=rows,
        panel=report.panel,
        synthetic=report.synthetic,
    )
    with speaking(SOURCE):
        decision = decide(verdicts)
    return report.model_copy(
        update={
            "samples": included,
            "outcomes": outcomes,
            "findings": rows,
            "remark_reasons": remarks,
            "decision": decision,
            "outcome": run_outcome(verdicts, remarked=bool(remarks)),
            "screens": tuple(s for s in report.screens if s.sample in names),
            "spike_recovery": {s: q for s, q in report.spike_recovery.items() if s in names},
            "perv": tuple(
                p.model_copy(update={"alarm_reasons": cover.all(p.alarm_reasons)})
                for p in report.perv
                if p.sample in names
            ),
            "crosstalk": tuple(
                c.model_copy(update={"marker": foreign.sub(covered, c.marker)})
                for c in report.crosstalk
                if c.sample in names
            ),
            "inputs": tuple(f for f in report.inputs if not foreign.search(f.path)),
            "unlisted_barcodes": {},
            "left_out": tuple[LeftOut, ...](),
            "lost": tuple[LostFile, ...](),
            "expected": tuple[Expected, ...](),
            "quarantined": (),
        }
    )


def cover_of(report: Report, name: str, language: Language = SOURCE) -> Cover:
    """What hides all other samples from the reader of this one's report."""
    with speaking(language):
        covered = say("sample.covered")
    included = _included(report, name)
    others = [s for s in report.samples if s not in included]
    hidden = _hidden(report, others, included) | _folders(report, others)
    return Cover(hidden, any_of(hidden), covered)


def _included(report: Report, name: str) -> tuple[Sample, ...]:
    """The sample, and the controls that apply to it."""
    own = next(s for s in report.samples if s.name == name)
    return tuple(s for s in report.samples if s is own or _applies_to(report, s, own))


def compose_sample(report: Report, name: str, language: Language = SOURCE) -> Document:
    """The document of one sample. Its seal is that of the run's report, which holds it."""
    mine = of_sample(report, name, language)
    own = next(s for s in mine.samples if s.name == name)
    subjects = [s for s in report.samples if s.role is SampleRole.SAMPLE]
    with speaking(language):
        seal = sign_off(mine)
        method = Section("method", say("provenance.title"), (provenance_facts(mine),))
        return first_page(
            mine,
            title=f"{say('report.title')}: {name}",
            letterhead=identity(own, mine.laboratory, subjects),
            front=(found_in_few(mine), controls(mine), could_be_seen(mine)),
            body=(
                findings(mine),
                quantities(mine),
                *perv(mine),
                samples(mine),
                could_not_be_seen(mine, listed=False),
                method,
                *((seal,) if seal else ()),
            ),
        )


def _applies_to(report: Report, control: Sample, own: Sample) -> bool:
    return control.name not in report.subjects and control.governs(own)


def _hidden(report: Report, others: Iterable[Sample], included: Iterable[Sample]) -> set[str]:
    """Identifiers of other samples, without those that the included samples share (a species)."""
    identifiers = {w for s in others for w in _identifiers(s)} | set(report.unlisted_barcodes)
    # a file without a barcode may hold reads of any sample
    barcodes = {s.barcode for s in included} | {None}
    files = [(p, f.barcode) for f in report.inputs for p in (f.path, f.at) if p]
    files += [(f.path, f.barcode) for f in report.lost]
    theirs = [path for path, barcode in files if barcode not in barcodes]
    identifiers |= {part for path in theirs for part in (path, path.rsplit("/", 1)[-1])}
    return identifiers - {w for s in included for w in _identifiers(s)}


def _folders(report: Report, others: Iterable[Sample]) -> set[str]:
    """Substitutes for non-ASCII names in the paths of other samples' files."""
    keys = sample_keys.file_keys(report.samples)
    return {keys[s.name] for s in others if not s.name.isascii()}


def _identifiers(sample: Sample) -> Iterable[str]:
    values = (sample.name, sample.barcode, sample.accession, sample.animal, sample.requester)
    return (value for value in values if value)


def any_of(identifiers: Iterable[str]) -> re.Pattern[str]:
    """Longest first, and only whole words: `A10` does not match `A1`. A number or a single letter
    matches only where a name is expected: not every 7 in a report is animal 7."""
    ordered = sorted(identifiers, key=lambda identifier: (-len(identifier), identifier))
    long = "|".join(re.escape(w) for w in ordered if not _ambiguous(w))
    short = "|".join(re.escape(w) for w in ordered if _ambiguous(w))
    parts = [rf"(?<!\w)(?:{long})(?!\w)"] if long else []
    if short:
        parts += [
            rf"(?:(?<=[Ss]ample )|(?<=[Aa]nimal )|(?<=barcode )|(?<=account of ))(?:{short})(?!\w)",
            rf"(?:(?<=\()|(?<=, ))(?:{short})(?=[,):])",
        ]
    return re.compile("|".join(parts) or r"(?!)")


def _ambiguous(identifier: str) -> bool:
    return len(identifier) == 1 or identifier.replace(".", "").replace(",", "").isdigit()


NAMES = frozenset({"sample", "control", "barcode"})
"""Values of reasons that are a name of a sample, or of what is its own: `7`, too, is one there."""
TERMS = frozenset({
    "bundle", "codes", "kind", "left", "marker", "name", "others", "right", "species", "spike",
    "state", "type", "types",
})  # fmt: skip
"""Values that are terms of the panel, the bundle or the product; a sample that has such a name is
not meant. All other text of a reason may name a sample: paths, and what others wrote."""


@dataclass(frozen=True)
class Cover:
    """Redacts names of other samples in the values of reasons, and in free text."""

    hidden: Collection[str]
    foreign: re.Pattern[str]
    covered: str

    def text(self, words: str) -> str:
        """Free text, without the names of other samples."""
        return self.foreign.sub(self.covered, words)

    def all(self, reasons: Reasons) -> Reasons:
        return tuple(self._reason(reason) for reason in reasons)

    def names_another(self, reason: Reason) -> bool:
        return self._reason(reason) != reason

    def _reason(self, reason: Reason) -> Reason:
        values = reason.values and {n: self._value(n, v) for n, v in reason.values.items()}
        return reason.model_copy(update={"values": values})

    def _value(self, place: str, value: Value) -> Value:
        if isinstance(value, Reason):
            return self._reason(value)
        if isinstance(value, tuple):
            return tuple(self._value(place, part) for part in value)  # type: ignore[return-value]
        if not isinstance(value, str) or place in TERMS:
            return value
        if place in NAMES and value in self.hidden:
            return self.covered
        return self.foreign.sub(self.covered, value)
