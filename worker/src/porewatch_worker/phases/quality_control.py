"""Quality control: reads received, trimmed, filtered and passed.

The numbers per sample (distributions, N50, yield over time) are in `SampleScreen.quality`; this is
the phase's record, summed over all samples.
"""

from __future__ import annotations

from collections import Counter

from porewatch.domain.calls.evidence import ScreenResult


def counts(result: ScreenResult) -> dict[str, int]:
    """Reads and bases in and passed, reads trimmed, filtered by reason, and unlisted."""
    filtered: Counter[str] = Counter()
    for screen in result.samples:
        filtered.update(screen.account.filtered)
    unlisted = sum(result.unlisted_barcodes.values())
    return {
        "reads": sum(s.quality.reads for s in result.samples) + unlisted,
        "bases": sum(s.quality.bases for s in result.samples),
        "unlisted_barcode_reads": unlisted,
        "adapter_trimmed_reads": sum(s.quality.adapter_trimmed_reads for s in result.samples),
        **{f"filtered_{reason}": reads for reason, reads in sorted(filtered.items())},
        "passed_reads": sum(s.quality.passed_reads for s in result.samples),
        "passed_bases": sum(s.quality.passed_bases for s in result.samples),
    }
