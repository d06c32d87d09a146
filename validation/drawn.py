"""Reads drawn as numbers: sizes, places and screens with known truth, for simulations of amounts.

No sequence is made and nothing is mapped: what is simulated is chance, in molecules, sizes, places
and at the bench. Sizes are Gamma distributed (cv 0.85 by default), at least 200 bases
and never longer than the genome, as real ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from porewatch.domain.calls.evidence import (
    Evidence,
    QualityControl,
    ReadAccount,
    SampleScreen,
    TargetResult,
)
from porewatch.domain.calls.references import ContigRole
from porewatch_worker.science.count.histograms import (
    length_histogram,
    quality_histogram,
)

Dice = np.random.Generator
SHORTEST = 200


@dataclass(frozen=True)
class Lengths:
    """Read lengths in bases before a genome's end cuts them short."""

    mean: float = 1500.0
    cv: float = 0.85

    def draw(self, dice: Dice, reads: int, longest: float = np.inf) -> NDArray[np.int64]:
        shape = self.cv**-2
        drawn = dice.gamma(shape, self.mean / shape, reads)
        return np.minimum(np.maximum(drawn, SHORTEST), longest).astype(np.int64)

    def piece(self, genome_length: int) -> float:
        """Mean size on a genome of this length."""
        sizes = self.draw(np.random.default_rng(5), 400_000, genome_length)
        return float(sizes.mean())


USUAL = Lengths()


def sized(
    name: str, role: ContigRole, length: int, sizes: NDArray[np.int64], starts: int | None = None
) -> TargetResult:
    """A target with reads of these sizes; all that amounts rest on, and no coverage."""
    reads = len(sizes)
    evidence = Evidence(
        reads=reads, aligned_bases=int(sizes.sum()), squared_bases=int((sizes**2).sum()),
        distinct_starts=reads if starts is None else starts, breadth=0.0, expected_breadth=0.0,
        mean_depth=0.0, evenness=None, identity=0.95, median_mapq=60,
    )  # fmt: skip
    return TargetResult(target=name, role=role, genome_length=length, evidence=evidence)


def screen_of(
    targets: tuple[TargetResult, ...],
    lengths: Lengths,
    *,
    passed: int = 20_000,
    bases: tuple[int, int] | None = None,
    host: int = 0,
    host_bases: int = 0,
) -> SampleScreen:
    """A sample of `passed` reads. `bases`: those that passed and all, in place of drawn ones."""
    quality = _quality(lengths, passed)
    if bases:
        quality = quality.model_copy(update={"passed_bases": bases[0], "bases": bases[1]})
    account = ReadAccount(total=passed, host=host, unassigned=passed - host)
    return SampleScreen(
        sample="one", account=account, quality=quality, host_bases=host_bases, targets=targets
    )


@cache
def _quality(lengths: Lengths, passed: int) -> QualityControl:
    drawn = lengths.draw(np.random.default_rng(9), passed)
    total = int(drawn.sum())
    return QualityControl(
        reads=passed, bases=total, passed_reads=passed, passed_bases=total,
        mean_length=float(drawn.mean()), median_length=float(np.median(drawn)), n50=0,
        longest=int(drawn.max()), mean_quality=20.0,
        lengths=length_histogram(Counter(drawn.tolist())), qualities=quality_histogram({}, {}),
    )  # fmt: skip
