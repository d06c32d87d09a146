"""The spike-in of a sample. Pages of a report read it, too, so nothing heavy is imported here."""

from __future__ import annotations

from porewatch.domain.calls.evidence import SampleScreen, TargetResult
from porewatch.domain.calls.references import ContigRole


def spike_of(screen: SampleScreen) -> TargetResult | None:
    """The spike-in with most reads, None when none was seen."""
    spikes = [t for t in screen.targets if t.role is ContigRole.SPIKE and t.evidence.reads]
    return max(spikes, key=lambda t: t.evidence.reads, default=None)
