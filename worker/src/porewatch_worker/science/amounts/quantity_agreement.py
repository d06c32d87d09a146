"""Whether the load by spike-in and the load by yield can both be right.

They share the target's own reads and nothing else, so intervals that do not overlap mean that an
input is wrong: the copies added, the volume, the mass, or an amplification in between. Without a
stated extraction efficiency the yield misses what the extraction lost: it may then be lower, down
to `least_recovery` of the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from porewatch.domain.calls.findings import Call, Finding, Quantity
from porewatch.domain.reasons.reason import Code, Reason, because
from porewatch.domain.runs import Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters


def compared(
    spiked: Quantity, mass: Quantity, sample: Sample, parameters: ScreeningParameters
) -> tuple[Quantity, Quantity]:
    """Both, marked when they disagree. Loads in different units are not compared."""
    if spiked.unit != mass.unit or not _apart(spiked, mass, sample, parameters):
        return spiked, mass
    return _marked(spiked), _marked(mass)


def disagreements(findings: Sequence[Finding]) -> Iterator[Reason]:
    """One remark for a sample's outcome when any of its loads disagree."""
    codes = [f.code for f in findings if _disagrees(f)]
    if codes:
        yield because(Code.LOADS_DISAGREE, codes=tuple(codes))


def _disagrees(finding: Finding) -> bool:
    """Copies in the host's own genome are no load of a virus: nothing to agree upon."""
    return finding.call is not Call.ENDOGENOUS and any(q.disagrees for q in finding.quantities)


def _apart(
    spiked: Quantity, mass: Quantity, sample: Sample, parameters: ScreeningParameters
) -> bool:
    lost = 1.0 if sample.extraction_efficiency else parameters.least_recovery
    above = mass.low is not None and spiked.high is not None and mass.low > spiked.high
    below = mass.high is not None and spiked.low is not None and mass.high / lost < spiked.low
    return above or below


def _marked(quantity: Quantity) -> Quantity:
    remarks = (*quantity.remarks, because(Code.SPIKE_AND_YIELD_DISAGREE))
    return quantity.model_copy(update={"disagrees": True, "remarks": remarks})
