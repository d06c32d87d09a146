"""Effect of lost or missing files, and of reads without a sample, on a run's samples.

Findings are kept. But a sample with reads that may be missing is not reportable as complete: what
was not found may be in what was not screened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import (
    Outcome,
    Quantification,
    SampleOutcome,
)
from porewatch.domain.completeness import Expected, LostFile
from porewatch.domain.errors import parts_of
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.runs import RunManifest, Sample

OWNED_SHARE = 0.5
"""Of all reads of a run, the share that its samples must own."""
SHOWN = 3


@dataclass(frozen=True)
class Gaps:
    """Gaps that a manifest declares."""

    lost: Sequence[LostFile] = ()
    expected: Sequence[Expected] = ()


def gaps_of(manifest: RunManifest) -> Gaps:
    return Gaps(manifest.lost, manifest.expected)


def with_gaps(
    result: Quantification, screen: ScreenResult, samples: Sequence[Sample], gaps: Gaps
) -> Quantification:
    """The same results; samples that are incomplete are not reportable, with the reason."""
    run = [*_missing(gaps.expected), *_orphans(screen)]
    by_name = {sample.name: sample for sample in samples}
    outcomes = tuple(
        _outcome(each, [*_lost(by_name[each.sample], gaps.lost), *run]) for each in result.outcomes
    )
    return result.model_copy(update={"outcomes": outcomes})


def _outcome(outcome: SampleOutcome, found: Sequence[Reason]) -> SampleOutcome:
    if not found:
        return outcome
    earlier = outcome.why if outcome.outcome is Outcome.NOT_REPORTABLE else ()
    return outcome.model_copy(update={"outcome": Outcome.NOT_REPORTABLE, "why": (*earlier, *found)})


def _lost(sample: Sample, lost: Sequence[LostFile]) -> Iterator[Reason]:
    mine = [f for f in lost if f.barcode is None or sample.barcode in (None, f.barcode)]
    if mine:
        files = tuple(
            because(Code.FILE_PROBLEM, path=file.path, problem=parts_of(file.problem).problem)
            for file in mine[:SHOWN]
        )
        if len(mine) > SHOWN:
            files = (*files, because(Code.MORE, n=len(mine) - SHOWN))
        yield because(Code.FILE_LOST, count=len(mine), files=files)


def _missing(expected: Sequence[Expected]) -> Iterator[Reason]:
    for kind in expected:
        if kind.missing:
            yield because(
                Code.FILES_MISSING, counted=kind.counted, kind=kind.kind, came=kind.came,
                failed=kind.failed,
            )  # fmt: skip


def _orphans(screen: ScreenResult) -> Iterator[Reason]:
    nobodys = sum(screen.unlisted_barcodes.values())
    total = nobodys + sum(s.account.total - s.account.split for s in screen.samples)
    if nobodys > (1 - OWNED_SHARE) * total:
        yield because(Code.READS_WITHOUT_OWNER, unowned=nobodys, reads=total)
