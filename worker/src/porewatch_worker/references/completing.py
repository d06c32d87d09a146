"""What is read off the sequences of a bundle when it is built: ribosomal operons of large genomes.

Bundles that an earlier version built do not have it: they get it when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from porewatch.domain.references import Contig, ContigRole
from porewatch_worker.science.conserved import LARGE, operons


def completed(contigs: Iterable[Contig], sequence_of: Callable[[str], str]) -> tuple[Contig, ...]:
    """The contigs with what is not there yet. `sequence_of` a panel contig, by its name."""
    return tuple(_with_operons(contig, sequence_of) for contig in contigs)


def _with_operons(contig: Contig, sequence_of: Callable[[str], str]) -> Contig:
    if contig.role is not ContigRole.PANEL or contig.length < LARGE or contig.conserved:
        return contig
    return contig.model_copy(update={"conserved": operons(sequence_of(contig.name))})
