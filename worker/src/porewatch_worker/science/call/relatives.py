"""Whether the reads of a member come from a relative that no bundle holds.

A few near reads are no evidence of the member: conserved genes supply them when the relative has
enough reads. So the near reads have to suffice alone (`stands_alone`): enough reads and starts,
spread as chance spreads them, outside ribosomal operons, some of them whole reads; and they have to
be a larger part of the target's reads than conserved stretches of a relative are.

- A large genome (a cell's) needs that always, and an ANI (by containment) of a species. Of
  Salmonella's reads on E. coli 6 % are near, of a genus of the same family 5 %, of another family
  1 %: `conserved_cells` is 10 %.
- A virus's reads may be as far as strains are (`far_distance`); beyond, stretches that are near
  explain it (molecules ligated to others), or near reads that suffice alone (a strain beside its
  relative). No read of a virus's relative was near here: `conserved_viruses` is 1 %.
"""

from __future__ import annotations

import math

from porewatch.domain.calls.evidence import (
    Evidence,
    NearReads,
    SampleScreen,
    TargetResult,
)
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.science.call.containment import containment_ani
from porewatch_worker.science.count.distance import OwnIdentity, own_identity
from porewatch_worker.science.sequence.conserved import LARGE


def a_relative(result: TargetResult, screen: SampleScreen, p: ScreeningParameters) -> Reason | None:
    """Why these reads are rather a relative's, by code; None when they are not."""
    own = own_identity(screen)
    if result.evidence.whole_identity is None or not own.aligned:
        return None
    if result.genome_length >= LARGE:
        return _other_species(result.evidence, own, p)
    return _too_far(result.evidence, own, p)


def _other_species(e: Evidence, own: OwnIdentity, p: ScreeningParameters) -> Reason | None:
    ani = containment_ani(e, own.aligned)
    if ani is not None and ani < p.species_ani:
        return because(Code.OTHER_SPECIES, ani=ani, least=p.species_ani)
    near = e.near
    if near is None or e.reads < p.detected_min_reads or stands_alone(near, p, p.conserved_cells):
        return None
    many = near.of and 2 * near.reads >= near.of
    return because(
        Code.FEW_NEAR if many else Code.CONSERVED_GENES, near=near.reads, reads=near.of,
        limit=p.near_distance, own=near.own, breadth=near.breadth, expected=near.expected_breadth,
    )  # fmt: skip


def _too_far(e: Evidence, own: OwnIdentity, p: ScreeningParameters) -> Reason | None:
    """Host beside a virus is not held against it (`target_counts`)."""
    whole = 1.0 - (e.whole_identity or 0.0) / own.whole
    stretches = 1.0 - e.identity / own.aligned
    if whole <= p.far_distance or stretches <= p.near_distance:
        return None
    if e.near is not None and stands_alone(e.near, p, p.conserved_viruses):
        return None
    return because(Code.RELATIVE, distance=whole, errors=1 - own.whole, most=p.far_distance)


def stands_alone(near: NearReads, p: ScreeningParameters, conserved: float) -> bool:
    """Whether the near reads pass the whole rule without the others, and are more than the share
    `conserved` of a relative's reads explains."""
    enough = near.reads >= p.detected_min_reads and near.starts >= p.detected_min_starts
    spread = near.regions >= p.many_regions or near.breadth >= p.min_spread * near.expected_breadth
    return bool(
        enough
        and spread
        and near.own
        and at_least(near.reads, near.of, conserved) <= p.relative_chance * (1 + 1e-9)
    )


def at_least(k: int, n: int, share: float) -> float:
    """Chance of k or more of n when each comes with this share (upper binomial tail)."""
    if k <= 0:
        return 1.0
    each, other = math.log(share), math.log1p(-share)
    whole = math.lgamma(n + 1)
    terms = (
        whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * each + (n - i) * other
        for i in range(k, n + 1)
    )
    return min(1.0, math.fsum(math.exp(t) for t in terms))
