"""Effect of many reads of a sample lost to a filter: a remark, then not reportable.

Absence holds only for the reads that were analysed. Thresholds are the release policy's. A
no-template control has little else than junk; it is not judged by this. Strands of duplex reads,
reads of other barcodes and reads of lost units are not lost to a filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.calls.release_policy import Consequence
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.science.read.why_filtered import LOW_COMPLEXITY, LOW_QUALITY, TOO_SHORT
from porewatch_worker.science.release.controls import (
    Batch,
    Judged,
)

FILTERS = {
    TOO_SHORT: Code.FILTERED_TOO_SHORT,
    LOW_QUALITY: Code.FILTERED_LOW_QUALITY,
    LOW_COMPLEXITY: Code.FILTERED_LOW_COMPLEXITY,
}


def lost_to_filters(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """The consequence of what filters took from this sample, if it is much."""
    if sample.role is SampleRole.NO_TEMPLATE_CONTROL:
        return
    account, policy = batch.screens[sample.name].account, batch.policy
    lost = {name: account.filtered.get(name, 0) for name in FILTERS}
    looked = account.passed + sum(lost.values())
    share = sum(lost.values()) / looked if looked else 0.0
    if share <= policy.filtered_remark:
        return
    most = max(lost, key=lambda name: lost[name])
    why = because(FILTERS[most], share=share, lost=lost[most], reads=looked)
    if share > policy.filtered_refuse:
        refused = because(Code.TOO_MANY_FILTERED, why=why, most=policy.filtered_refuse)
        yield Consequence.REFUSE, refused
    else:
        yield Consequence.REMARK, why
