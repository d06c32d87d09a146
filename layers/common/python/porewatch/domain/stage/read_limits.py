"""How short a read and an aligned block may be to count, sample by sample.

Asked for the whole run (`--min-read-length`, `--min-block`), else in the sample's row of the sheet,
else by the release policy, else by the material: DNA of plasma is cut to 167 bases a nucleosome
(Snyder et al. 2016, Cell 164:57), so 200 would keep none of it. 90 keeps fragments down to half of
that; blocks of 60 bases at 0.70 identity are still no chance matches.
"""

from __future__ import annotations

from porewatch.domain.calls.release_policy import ReleasePolicy
from porewatch.domain.runs import ReadLimits, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters

CELL_FREE = frozenset(
    {"plasma", "blood plasma", "serum", "cfdna", "cfrna", "cell-free dna", "cell free dna"}
    | {"cell-free", "cell-free plasma", "edta plasma", "urine cfdna"}
)
"""Tissues (in lower case) whose nucleic acid comes in short pieces."""

CELL_FREE_LIMITS = ReadLimits(min_read_length=90, min_block=60)


def limits_of(
    sample: Sample,
    parameters: ScreeningParameters,
    asked: ReadLimits | None = None,
    policy: ReleasePolicy | None = None,
) -> ReadLimits:
    """The limits in force for a sample; both are set."""
    by_tissue = CELL_FREE_LIMITS if is_cell_free(sample) else ReadLimits()
    by_policy = ReadLimits()
    if policy is not None:
        by_policy = ReadLimits(min_read_length=policy.min_read_length, min_block=policy.min_block)
    own = ReadLimits(min_read_length=sample.min_read_length, min_block=sample.min_block)
    order = (asked or ReadLimits(), own, by_policy, by_tissue)
    length = next((o.min_read_length for o in order if o.min_read_length), None)
    block = next((o.min_block for o in order if o.min_block), None)
    length = length or parameters.min_read_length
    return ReadLimits(min_read_length=length, min_block=block or min(parameters.min_block, length))


def is_cell_free(sample: Sample) -> bool:
    """Whether the sheet's tissue says that its nucleic acid is short."""
    return (sample.tissue or "").strip().lower() in CELL_FREE


def settled(
    samples: tuple[Sample, ...],
    parameters: ScreeningParameters,
    asked: ReadLimits | None,
    policy: ReleasePolicy,
) -> tuple[Sample, ...]:
    """The samples with their limits written out: what the phases work by."""
    return tuple(
        s.model_copy(update=limits_of(s, parameters, asked, policy).model_dump()) for s in samples
    )


def for_sample(parameters: ScreeningParameters, sample: Sample) -> ScreeningParameters:
    """The parameters with this sample's limits."""
    return parameters.model_copy(update=limits_of(sample, parameters).model_dump())
