"""What files that were lost or never came, and reads that nobody owns, mean for a run's samples.

Nothing is taken back that was found. But a sample whose reads may lie elsewhere is not reportable
as if it were whole: what was not found may stand in what was not screened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.findings import Outcome, Quantification, ReasonCode, SampleOutcome
from porewatch.domain.completeness import Expected, LostFile
from porewatch.domain.runs import RunManifest, Sample

OWNED_SHARE = 0.5
"""Of all reads of a run, the share that its samples must own."""
SHOWN = 3

Coded = tuple[ReasonCode, str]


@dataclass(frozen=True)
class Gaps:
    """What a manifest says of its own completeness."""

    lost: Sequence[LostFile] = ()
    expected: Sequence[Expected] = ()


def gaps_of(manifest: RunManifest) -> Gaps:
    return Gaps(manifest.lost, manifest.expected)


def with_gaps(
    result: Quantification, screen: ScreenResult, samples: Sequence[Sample], gaps: Gaps
) -> Quantification:
    """The same results; outcomes of samples that are not whole say so and are not reportable."""
    run = [*_missing(gaps.expected), *_orphans(screen)]
    by_name = {sample.name: sample for sample in samples}
    outcomes = tuple(
        _outcome(each, [*_lost(by_name[each.sample], gaps.lost), *run]) for each in result.outcomes
    )
    return result.model_copy(update={"outcomes": outcomes})


def _outcome(outcome: SampleOutcome, found: Sequence[Coded]) -> SampleOutcome:
    if not found:
        return outcome
    kept = outcome.reasons if outcome.outcome is Outcome.NOT_REPORTABLE else ()
    return outcome.model_copy(
        update={
            "outcome": Outcome.NOT_REPORTABLE,
            "reasons": (*kept, *(text for _, text in found)),
            "codes": tuple(dict.fromkeys((*outcome.codes, *(code for code, _ in found)))),
        }
    )


def _lost(sample: Sample, lost: Sequence[LostFile]) -> Iterator[Coded]:
    mine = [f for f in lost if f.barcode is None or sample.barcode in (None, f.barcode)]
    if mine:
        names = ", ".join(
            f"{file.path} ({file.problem.split(' Remedy:')[0]})" for file in mine[:SHOWN]
        )
        more = f" and {len(mine) - SHOWN} more" if len(mine) > SHOWN else ""
        yield (
            ReasonCode.FILE_LOST,
            f"incomplete: files of it could not be read ({len(mine)}), and their reads are missing "
            f"here: {names}{more}",
        )


def _missing(expected: Sequence[Expected]) -> Iterator[Coded]:
    for kind in expected:
        if kind.missing:
            yield (
                ReasonCode.FILES_MISSING,
                f"incomplete: MinKNOW counted {kind.counted} {kind.kind} files, and "
                f"{kind.came} of {kind.counted} came ({kind.failed} of them failed ones); "
                "it counts failed ones as well, and whether the others are such is not known",
            )


def _orphans(screen: ScreenResult) -> Iterator[Coded]:
    nobodys = sum(screen.unlisted_barcodes.values())
    total = nobodys + sum(s.account.total - s.account.split for s in screen.samples)
    if nobodys > (1 - OWNED_SHARE) * total:
        yield (
            ReasonCode.READS_WITHOUT_OWNER,
            f"most reads of this run belong to none of its samples: {nobodys:,} of {total:,}",
        )
