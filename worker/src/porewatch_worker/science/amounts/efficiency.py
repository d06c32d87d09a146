"""Share of a genome's bases that is counted: one number for the load and for the LOD.

1. Mapping loses whole reads of strains that are far, and of reads that are poor; both show in the
   identity over whole reads. FOUND is what an outside simulator's reads gave (Badread 0.4.2, R10
   and R9, strains 0 to 24 % away, 150 to 200 reads each): found of all reads.
2. Of reads that are found the ends may be lost: aligned / all bases = whole identity / identity.
3. The length filter removes reads before they are assigned. Their bases, without spike-in, are
   counted; the target's reads are assumed to be as long as the sample's. Up to MOST_LOST of bases
   the loss is corrected by its geometric mean and widens the interval; beyond, a spike-in of long
   molecules is no measure of a target in short ones, and neither load nor LOD is given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from porewatch.domain.calls.evidence import Evidence, SampleScreen
from porewatch.domain.calls.findings import Quantity
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.reasons.reason import Code, Reasons, because
from porewatch_worker.science.amounts.uncertainty import rectangular

FOUND = ((0.45, 0.45), (0.59, 0.63), (0.635, 0.66), (0.70, 0.85), (0.77, 0.88),
         (0.785, 0.93), (0.825, 0.965), (0.84, 0.985), (0.895, 1.0))  # fmt: skip
"""(identity over whole reads, share of reads found)."""

FOUND_BY_MAPPING = 0.87
"""Share found of a strain that was not seen: that at an identity of 0.76, a strain a fifth away in
R10 reads or a tenth away in R9 reads."""

LEAST_FILL = 0.75
"""Reads with a smaller aligned share are joined molecules: the rest is not the target's."""

MOST_LOST = 0.2
SHORT = "too_short"


@dataclass(frozen=True)
class Efficiency:
    """`share` of a genome's bases that reach the count, and the relative uncertainties of it by
    source. `lost`: share of bases in reads below the length limit."""

    share: float
    cvs: dict[str, float]
    lost: float

    @property
    def known(self) -> bool:
        return self.lost <= MOST_LOST

    @property
    def why(self) -> Reasons:
        return () if self.known else (because(Code.LENGTHS_LOST, share=self.lost),)


def efficiency(screen: SampleScreen, evidence: Evidence | None = None) -> Efficiency:
    """Of a target by its evidence; of one that was not seen without it."""
    found = FOUND_BY_MAPPING if evidence is None else found_share(evidence)
    lost = lost_to_length(screen)
    share, cvs = found, {}
    if evidence is not None and found < 1.0:
        cvs["mapping"] = round(rectangular(found, 1.0), 4)
    if 0.0 < lost <= MOST_LOST:
        share *= math.sqrt(1.0 - lost)
        cvs["too_short"] = round(rectangular(1.0 - lost, 1.0), 4)
    return Efficiency(share, cvs, lost)


def lost_to_length(screen: SampleScreen) -> float:
    """Share of the bases, those of spike-ins apart, in reads below the length limit."""
    short = screen.account.filtered_bases.get(SHORT, 0)
    spike = sum(t.evidence.aligned_bases for t in screen.targets if t.role is ContigRole.SPIKE)
    passed = max(0, screen.quality.passed_bases - spike)
    return short / (short + passed) if short else 0.0


def found_share(e: Evidence) -> float:
    """Share of a genome's bases that mapping does not lose, the length filter apart."""
    whole = e.whole_identity
    if not whole or not e.identity:
        return 1.0
    at, share = zip(*FOUND, strict=True)
    fill = max(LEAST_FILL, min(1.0, whole / e.identity))
    return float(np.interp(whole, at, share)) * (1.0 if fill > 0.98 else fill)


def unknowable(quantity: Quantity, measured: Efficiency) -> Quantity:
    """The quantity without a value: the counted reads give at most a lower bound."""
    return quantity.model_copy(update={"value": None, "high": None, "remarks": measured.why})
