"""What is read off the sequences of a bundle when it is built: ribosomal operons of large genomes,
and which places of PERV envelopes answer to each other.

Bundles that an earlier version built do not have it: they get it when they are loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch_worker.science.sequence.conserved import (
    LARGE,
    operons,
)
from porewatch_worker.science.sequence.homologous import (
    aligned,
    hub_of,
)

SequenceOf = Callable[[str], str]


def completed(contigs: Iterable[Contig], sequence_of: SequenceOf) -> tuple[Contig, ...]:
    """The contigs with what is not there yet. `sequence_of` a panel contig, by its name."""
    there = tuple(contigs)
    hub = hub_of(there)
    return tuple(_with_env(_with_operons(c, sequence_of), hub, sequence_of) for c in there)


def _with_operons(contig: Contig, sequence_of: SequenceOf) -> Contig:
    if contig.role is not ContigRole.PANEL or contig.length < LARGE or contig.conserved:
        return contig
    return contig.model_copy(update={"conserved": operons(sequence_of(contig.name))})


def _with_env(contig: Contig, hub: Contig | None, sequence_of: SequenceOf) -> Contig:
    if hub is None or not contig.perv_type or "env" not in contig.features or contig.env_blocks:
        return contig
    blocks = aligned(_env(hub, sequence_of), _env(contig, sequence_of))
    return contig.model_copy(update={"env_blocks": blocks})


def _env(contig: Contig, sequence_of: SequenceOf) -> str:
    start, end = contig.features["env"]
    return sequence_of(contig.name)[start:end]
