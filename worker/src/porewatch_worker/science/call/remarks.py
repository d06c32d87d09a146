"""Remarks beside a call, and the display name of a target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from porewatch.domain.calls.evidence import TargetResult
from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.calls.references import Contig
from porewatch.domain.reasons.reason import Code, Reason, because, panel_note
from porewatch.domain.runs import Sample

SYNTHETIC = "SYNTHETIC"
PERV = "PERV-"
FAR = 0.85
"""Below this identity the closest reference is a distant relative, errors of R9 reads included."""


def shown_name(entry: PanelEntry, contigs: Sequence[Contig], synthetic: bool) -> str:
    """No PERV subtype is named from surrogate sequence, except with SYNTHETIC in the name."""
    marked = any(is_surrogate(c) for c in contigs)
    if entry.code.startswith(PERV) and contigs and (synthetic or marked):
        return f"{SYNTHETIC} surrogate for {entry.name}"
    return entry.name


def shown_code(code: str, name: str) -> str:
    """The code as reports print it: that of a surrogate names no PERV type."""
    return code.replace(PERV, f"{SYNTHETIC}-") if name.startswith(SYNTHETIC) else code


def is_surrogate(contig: Contig) -> bool:
    """Whether its name, description or source marks it as synthetic."""
    return SYNTHETIC in f"{contig.name} {contig.description} {contig.source}".upper()


def remarks_on(
    entry: PanelEntry, result: TargetResult | None, sample: Sample, call: Call
) -> Iterator[Reason]:
    """The remarks beside the call."""
    if _rna_only(entry) and sample.material == "dna" and call is not Call.DETECTED:
        yield because(Code.RNA_IN_DNA)
    if result is not None:
        yield from _evidence_remarks(result)
    if entry.status == "partly" and entry.status_reason:
        yield because(Code.SCREENED_PARTLY, why=panel_note(entry.status_reason))


def _evidence_remarks(result: TargetResult) -> Iterator[Reason]:
    e = result.evidence
    if e.reads and e.identity < FAR:
        yield because(Code.FAR_IDENTITY, identity=e.identity)
    for names, reads in e.shared_with.items():
        yield because(Code.SHARED_WITH, reads=reads, others=tuple(names.split("|")))
    if e.host_better:
        yield because(Code.HOST_BETTER, reads=e.host_better)
    if e.reads_with_host_flank:
        yield because(Code.HOST_FLANK, reads=e.reads_with_host_flank)


def _rna_only(entry: PanelEntry) -> bool:
    return "RNA" in entry.genome and "provirus" not in entry.genome
