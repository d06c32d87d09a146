"""Host removal: reads that the host explains at least as well as any panel member.

It runs after the panel, in the same pass: removing host reads first deletes the reads of anything
that is also in the host's genome (in our measurements 500 of 500 PERV reads).
"""

from __future__ import annotations

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.references import ContigRole


def counts(result: ScreenResult) -> dict[str, int]:
    """Reads tested, given to the host, and kept; `won_from_panel` had a weaker panel hit."""
    host = sum(s.account.host for s in result.samples)
    tested = sum(s.quality.passed_reads for s in result.samples)
    panel = [t for s in result.samples for t in s.targets if t.role is ContigRole.PANEL]
    return {
        "reads": tested,
        "host_reads": host,
        "host_bases": sum(s.host_bases for s in result.samples),
        "won_from_panel": sum(t.evidence.host_better for t in panel),
        "kept_reads": tested - host,
    }
