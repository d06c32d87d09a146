"""One sample's own report: its results and the controls that speak for it, of nobody else.

A run holds samples of several clients. What names another sample (its name, its animal, its
barcode, its files) must not reach this reader: such remarks are left out, and names within
reasons are covered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from porewatch.domain import sample_keys
from porewatch.domain.completeness import Expected, LeftOut, LostFile
from porewatch.domain.report import Report
from porewatch.domain.runs import Sample
from porewatch_worker.report.compose import compose, provenance_facts
from porewatch_worker.report.decision import Verdicts, decide, run_outcome
from porewatch_worker.report.document import Document, Section
from porewatch_worker.report.found import findings, quantities
from porewatch_worker.report.front import controls, found
from porewatch_worker.report.identity import identity
from porewatch_worker.report.limits import could_be_seen, could_not_be_seen
from porewatch_worker.report.perv import perv
from porewatch_worker.report.samples import samples
from porewatch_worker.report.speech import Language, say, speaking
from porewatch_worker.report.trust import sign_off

COVERED = "another sample"


def file_keys(report: Report) -> dict[str, str]:
    """Name of each sample that is no control -> what stands for it in file names."""
    keys = sample_keys.file_keys(report.samples)
    return {name: key for name, key in keys.items() if name in report.subjects}


def of_sample(report: Report, name: str) -> Report:
    """The part of `report` that is about sample `name`, with a decision of its own."""
    own = next(s for s in report.samples if s.name == name)
    kept = tuple(s for s in report.samples if s is own or _speaks_for(report, s, own))
    names = {s.name for s in kept}
    others = [s for s in report.samples if s.name not in names]
    hidden = _hidden(report, others, kept) | _folders(report, others)
    foreign = _any_of(hidden)
    outcomes = tuple(
        o.model_copy(update={"reasons": _covered(o.reasons, foreign)})
        for o in report.outcomes
        if o.sample in names
    )
    rows = tuple(
        f.model_copy(update={"remark": foreign.sub(COVERED, f.remark)})
        for f in report.findings
        if f.sample in names
    )
    remarks = tuple(remark for remark in report.remarks if not foreign.search(remark))
    verdicts = Verdicts(
        samples=kept,
        outcomes=outcomes,
        findings=rows,
        panel=report.panel,
        synthetic=report.synthetic,
    )
    with speaking("en"):
        decision = decide(verdicts)
    return report.model_copy(
        update={
            "samples": kept,
            "outcomes": outcomes,
            "findings": rows,
            "remarks": remarks,
            "decision": decision,
            "outcome": run_outcome(verdicts, remarked=bool(remarks)),
            "screens": tuple(s for s in report.screens if s.sample in names),
            "spike_recovery": {s: q for s, q in report.spike_recovery.items() if s in names},
            "perv": tuple(
                p.model_copy(update={"alarms": _covered(p.alarms, foreign)})
                for p in report.perv
                if p.sample in names
            ),
            "crosstalk": tuple(
                c.model_copy(update={"marker": foreign.sub(COVERED, c.marker)})
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


def compose_sample(report: Report, name: str, language: Language = "en") -> Document:
    """The document of one sample. Its seal is that of the run's report, which holds it."""
    mine = of_sample(report, name)
    whole = compose(mine, language)
    own = next(s for s in mine.samples if s.name == name)
    with speaking(language):
        seal = sign_off(mine)
        method = Section("method", say("provenance.title"), (provenance_facts(mine),))
        return replace(
            whole,
            title=f"{whole.title}: {name}",
            letterhead=identity(own, mine.laboratory),
            front=(found(mine), controls(mine), could_be_seen(mine)),
            body=(
                findings(mine),
                quantities(mine),
                *perv(mine),
                samples(mine),
                could_not_be_seen(mine),
                method,
                *((seal,) if seal else ()),
            ),
        )


def _speaks_for(report: Report, control: Sample, own: Sample) -> bool:
    return control.name not in report.subjects and control.governs(own)


def _hidden(report: Report, others: Iterable[Sample], kept: Iterable[Sample]) -> set[str]:
    """Words that lead to other samples, less those that our own share with them (a species)."""
    told = {w for s in others for w in _words(s)} | set(report.unlisted_barcodes)
    return told - {w for s in kept for w in _words(s)}


def _folders(report: Report, others: Iterable[Sample]) -> set[str]:
    """What stands for names that are not ASCII in the paths of other samples' files."""
    keys = sample_keys.file_keys(report.samples)
    return {keys[s.name] for s in others if not s.name.isascii()}


def _words(sample: Sample) -> Iterable[str]:
    return (word for word in (sample.name, sample.barcode, sample.accession, sample.animal) if word)


def _any_of(words: set[str]) -> re.Pattern[str]:
    """Longest first, and only whole: `A1` is not named by `A10`."""
    ordered = sorted(words, key=lambda word: (-len(word), word))
    if not ordered:
        return re.compile(r"(?!)")
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, ordered))})(?!\w)")


def _covered(texts: Iterable[str], foreign: re.Pattern[str]) -> tuple[str, ...]:
    return tuple(foreign.sub(COVERED, text) for text in texts)
