"""What follows when many reads of a sample fall to a filter: a remark, then no reliance at all.

Absence is said of the reads that were looked at. Thresholds are the release policy's. A no-template
control has little else than junk; it is not judged by this. Strands of duplex reads, reads of other
barcodes and reads of lost units are not lost to a filter.
"""

from __future__ import annotations

from collections.abc import Iterator

from porewatch.domain.calls.release_policy import Consequence
from porewatch.domain.runs import Sample, SampleRole
from porewatch_worker.science.read.filter_reads import (
    LOW_COMPLEXITY,
    LOW_QUALITY,
    TOO_SHORT,
)
from porewatch_worker.science.release.controls import (
    Batch,
    Judged,
)

REMEDIES = {
    TOO_SHORT: "as shorter than the least read length (--min-read-length)",
    LOW_QUALITY: "as of low quality",
    LOW_COMPLEXITY: "as of low complexity",
}


def lost_to_filters(sample: Sample, batch: Batch) -> Iterator[Judged]:
    """The consequence of what filters took from this sample, if it is much."""
    if sample.role is SampleRole.NO_TEMPLATE_CONTROL:
        return
    account, policy = batch.screens[sample.name].account, batch.policy
    lost = {name: account.filtered.get(name, 0) for name in REMEDIES}
    looked = account.passed + sum(lost.values())
    share = sum(lost.values()) / looked if looked else 0.0
    if share <= policy.filtered_remark:
        return
    most = max(lost, key=lambda name: lost[name])
    told = (
        f"{share:.0%} of the reads fall to a filter, {lost[most]:,} of {looked:,} {REMEDIES[most]}"
    )
    if share > policy.filtered_refuse:
        yield Consequence.REFUSE, f"{told}; at most {policy.filtered_refuse:.0%} may"
    else:
        yield Consequence.REMARK, told
