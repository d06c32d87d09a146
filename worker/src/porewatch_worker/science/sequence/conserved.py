"""Ribosomal RNA of large panel genomes, found by its universal primer sites.

Total RNA of any bacterium is mostly ribosomal, and ribosomal RNA of related genera differs by a few
per cent: reads there are evidence of a bacterium, never of a species. Bundles hold bare FASTA as a
rule, so operons are found by sequence: 16S by the site of primer 515F (Parada et al. 2016, Environ
Microbiol 18:1403), and from there the operon's length, 23S and 5S included; features named as
ribosomal RNA count as well.
"""

from __future__ import annotations

import re

import mappy

from porewatch.domain.calls.references import Contig

LARGE = 500_000
"""Bases of a genome from which on it is a cell's: it has operons, and conserved genes."""

SITE = re.compile("GTG[CT]CAGC[AC]GCCGCGGTAA")
BEFORE, BEHIND = 600, 5_400
"""Bases before the site (16S begins 515 before it) and behind it (rest of 16S, spacer, 23S, 5S)."""

_NAMED = re.compile(r"rrna|ribosomal[ _]rna|\brdna\b", re.IGNORECASE)

Spans = tuple[tuple[int, int], ...]


def named_rrna(contig: Contig) -> Spans:
    """Features of a contig that are named as ribosomal RNA; all of it when it is titled so."""
    named = tuple(span for name, span in contig.features.items() if _NAMED.search(name))
    if named:
        return named
    titled = _NAMED.search(f"{contig.name} {contig.target} {contig.description}")
    return ((0, contig.length),) if titled else ()


def operons(sequence: str) -> Spans:
    """Half-open intervals of ribosomal operons on a genome, on either strand, ascending."""
    length = len(sequence)
    upper = sequence.upper()
    found = [
        (max(0, m.start() - BEFORE), min(length, m.start() + BEHIND)) for m in SITE.finditer(upper)
    ]
    for m in SITE.finditer(str(mappy.revcomp(upper))):
        place = length - m.start()
        found.append((max(0, place - BEHIND), min(length, place + BEFORE)))
    return tuple(sorted(found))


def inside(spans: Spans, start: int, end: int) -> bool:
    """Whether half of [start, end) or more is in these intervals."""
    shared = sum(max(0, min(end, b) - max(start, a)) for a, b in spans)
    return 2 * shared >= end - start
