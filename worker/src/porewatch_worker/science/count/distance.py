"""Distance of reads from their target, without sequencing errors.

A relative that no bundle holds cannot be separated from the target by competition: no other target
takes its reads. But they fit badly, and in conserved stretches only, so that over whole reads (what
fits neither the target nor the host is a mismatch) a relative 35 % away appears 40 to 80 % away,
and a strain 25 % away no more than 30 %. The identity of the aligned stretches alone is less
specific: none is accepted below `min_identity`.

Cells (`LARGE` and more) need another test: a relative of another genus has nearly identical genes,
so that some of its reads fit completely, at any depth. See `relatives`.

The rate of sequencing errors is measured in the same sample: in spike-in reads, whose sequence is
known; else in host reads; else in base qualities.
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
    """By the best measure available; 1 without any."""
    for target in screen.targets:
        e = target.evidence
        if target.role is ContigRole.SPIKE and e.reads >= ENOUGH and e.whole_identity:
            return OwnIdentity(e.identity, e.whole_identity)
    if screen.host and screen.host.identity and screen.account.host >= ENOUGH:
        return OwnIdentity(screen.host.identity, screen.host.identity)
    quality = screen.quality.mean_quality
    identity = 1.0 if quality is None else 1.0 - 10 ** (-quality / 10)
    return OwnIdentity(identity, identity)
