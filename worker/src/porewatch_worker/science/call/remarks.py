"""What must be said beside a call, and what a target may be called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from porewatch.domain.calls.evidence import TargetResult
from porewatch.domain.calls.findings import Call
from porewatch.domain.calls.panel import PanelEntry
from porewatch.domain.calls.references import Contig
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
    """Its name, description or source says that it is made up."""
    return SYNTHETIC in f"{contig.name} {contig.description} {contig.source}".upper()


def remark_on(entry: PanelEntry, result: TargetResult | None, sample: Sample, call: Call) -> str:
    """Sentences for people; empty when there is nothing to add."""
    return " ".join(_remarks(entry, result, sample, call))


def _remarks(
    entry: PanelEntry, result: TargetResult | None, sample: Sample, call: Call
) -> Iterator[str]:
    if _rna_only(entry) and sample.material == "dna" and call is not Call.DETECTED:
        yield (
            "RNA genome, and the sample is declared as DNA: absence says nothing unless cDNA "
            "was made."
        )
    if result is not None:
        yield from _evidence_remarks(result)
    if entry.status == "partly" and entry.status_reason:
        yield f"Screened partly: {entry.status_reason}"


def _evidence_remarks(result: TargetResult) -> Iterator[str]:
    e = result.evidence
    if e.reads and e.identity < FAR:
        yield (
            f"Identity {e.identity:.1%}: a strain far from the references, or a relative of this "
            "target that is not in the bundle."
        )
    for names, reads in e.shared_with.items():
        others = names.replace("|", ", ")
        yield f"{reads} more reads fit {others} as well and count for neither alone."
    if e.host_better:
        yield f"{e.host_better} similar reads matched the host better and count as host."
    if e.reads_with_host_flank:
        yield (
            f"{e.reads_with_host_flank} of its reads carry host sequence beside it "
            "(integrated, or chimeric)."
        )


def _rna_only(entry: PanelEntry) -> bool:
    return "RNA" in entry.genome and "provirus" not in entry.genome
