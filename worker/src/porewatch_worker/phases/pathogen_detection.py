"""Pathogen detection: assignment of the reads that do not match the host.

Counts only; `science/call/calls.py` makes calls of them, after all samples of the run are counted.
"""

from __future__ import annotations

from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.references import ContigRole


def counts(result: ScreenResult) -> dict[str, int]:
    """Reads by role, and how many panel members have reads of their own in any sample."""
    panel = {
        t.target
        for s in result.samples
        for t in s.targets
        if t.role is ContigRole.PANEL and t.evidence.reads
    }
    return {
        "reads": sum(s.quality.passed_reads - s.account.host for s in result.samples),
        "panel_reads": sum(s.account.panel for s in result.samples),
        "spike_reads": sum(s.account.spike for s in result.samples),
        "decoy_reads": sum(s.account.decoy for s in result.samples),
        "unassigned_reads": sum(s.account.unassigned for s in result.samples),
        "unassigned_bases": sum(s.unassigned_bases for s in result.samples),
        "panel_members_with_reads": len(panel),
    }
