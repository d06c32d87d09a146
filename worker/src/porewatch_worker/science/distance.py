"""How far reads are from their target, the errors of reading taken out.

A relative that no bundle holds cannot be told from the target by competition: its reads have
nowhere else to go. But they fit badly, and in conserved stretches only, so that over whole reads
(what fits neither it nor the host is a mismatch) a relative 35 % away seems 40 to 80 % away, and a
strain 25 % away no more than 30 %. The identity of the aligned stretches alone says less: none is
accepted below `min_identity`.

What reading costs is seen in the same sample: in spike-in reads, whose sequence is known; else in
host reads; else in base qualities.
"""

from __future__ import annotations

from typing import NamedTuple

from porewatch.domain.findings import Evidence, SampleScreen
from porewatch.domain.phases import ScreeningParameters
from porewatch.domain.references import ContigRole

ENOUGH = 20
"""Reads that show what reading costs: their mean identity is then known within 0.01 (sd 0.04)."""

A_RELATIVE = "rather a relative that the bundle does not hold"
"""Ends what is said of reads that are too far."""


class OwnIdentity(NamedTuple):
    """What reads of this sample match of the very sequence that they come from: in their
    alignments, and over their whole length."""

    aligned: float
    whole: float


def own_identity(screen: SampleScreen) -> OwnIdentity:
    """By the best witness there is; 1 where nothing tells."""
    for target in screen.targets:
        e = target.evidence
        if target.role is ContigRole.SPIKE and e.reads >= ENOUGH and e.whole_identity:
            return OwnIdentity(e.identity, e.whole_identity)
    if screen.host and screen.host.identity and screen.account.host >= ENOUGH:
        return OwnIdentity(screen.host.identity, screen.host.identity)
    quality = screen.quality.mean_quality
    told = 1.0 if quality is None else 1.0 - 10 ** (-quality / 10)
    return OwnIdentity(told, told)


def too_far(e: Evidence, screen: SampleScreen, p: ScreeningParameters) -> str:
    """Why these reads are rather a relative's; empty when they are not.

    Host beside a virus is not held against it (`target_counts`). Two things more excuse reads that
    are far on the whole: stretches that are near (molecules ligated to others), and enough whole
    reads that are near beside those of a relative.
    """
    own = own_identity(screen)
    if e.whole_identity is None or not own.aligned:
        return ""
    whole = 1.0 - e.whole_identity / own.whole
    stretches = 1.0 - e.identity / own.aligned
    if whole <= p.far_distance or stretches <= p.near_distance:
        return ""
    if near_reads(e, own, p) >= p.detected_min_reads:
        return ""
    return (
        f"reads {whole:.0%} away over their whole length, {1 - own.whole:.1%} of read errors "
        f"apart, {p.far_distance:.0%} allowed: {A_RELATIVE}"
    )


def near_reads(e: Evidence, own: OwnIdentity, p: ScreeningParameters) -> int:
    """Reads that are near the target over their whole length."""
    least = 100 * (1.0 - p.near_distance) * own.whole
    return sum(n for cent, n in e.explained.items() if int(cent) >= least)
