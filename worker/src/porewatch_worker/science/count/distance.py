"""How far reads are from their target, the errors of reading taken out.

A relative that no bundle holds cannot be told from the target by competition: its reads have
nowhere else to go. But they fit badly, and in conserved stretches only, so that over whole reads
(what fits neither it nor the host is a mismatch) a relative 35 % away seems 40 to 80 % away, and a
strain 25 % away no more than 30 %. The identity of the aligned stretches alone says less: none is
accepted below `min_identity`.

Cells (`LARGE` and more) are told otherwise: a relative of another genus holds genes that are all
but the same, so that some of its reads fit wholly, at any depth. See `relatives`.

What reading costs is seen in the same sample: in spike-in reads, whose sequence is known; else in
host reads; else in base qualities.
"""

from __future__ import annotations

from typing import NamedTuple

from porewatch.domain.calls.evidence import SampleScreen
from porewatch.domain.calls.references import ContigRole

ENOUGH = 20
"""Reads that show what reading costs: their mean identity is then known within 0.01 (sd 0.04)."""


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
    identity = 1.0 if quality is None else 1.0 - 10 ** (-quality / 10)
    return OwnIdentity(identity, identity)
