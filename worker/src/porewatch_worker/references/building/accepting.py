"""Check one sequence before it enters a bundle: its sheet row against the list, against its own
title, and against the sequences accepted before it.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from porewatch.domain.calls.panel import EXTRA, PanelEntry
from porewatch.domain.calls.references import (
    Contig,
    ContigRole,
)
from porewatch.domain.errors import BundleRefused
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch_worker.references.building.annotation import (
    AnnotationWrong,
    annotate,
)
from porewatch_worker.references.building.fasta import FastaRecord
from porewatch_worker.references.building.masking import masked_intervals
from porewatch_worker.references.building.sheet import Assignment
from porewatch_worker.references.building.titles import named_instead

_ACCESSION = re.compile(r"^(?:[A-Z]{1,2}_?\d{5,9}|[A-Z]{4,6}\d{8,})(?:\.\d+)?$")
_UNKNOWN_BASES = re.compile(rb"[^ACGT]+")
_PIECE = re.compile(r"\b(?:segment|chromosome) +(?!complete\b)(\w+)", re.IGNORECASE)
"""How INSDC titles name the pieces of a genome: "segment 4", "chromosome II"."""

_IN_SEGMENTS = re.compile(r"\b\d+ segments\b")


@dataclass
class Draft:
    """What was accepted so far. `codes` is the list that the bundle is built for."""

    codes: dict[str, PanelEntry]
    contigs: list[Contig] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    digests: dict[bytes, Contig] = field(default_factory=dict)

    def bases(self, role: ContigRole) -> int:
        return sum(contig.length for contig in self.contigs if contig.role is role)


def accept(draft: Draft, record: FastaRecord, part: Assignment) -> Contig:
    """Check one sequence against what is there already and add it."""
    place = f"{record.file} record {record.record}"
    if record.name in draft.places:
        raise _refused(
            record,
            f"the name {record.name!r} was used before, in {draft.places[record.name]}.",
            "give every sequence a name of its own.",
        )
    _check_target(draft, record, part)
    if part.role is not ContigRole.HOST:
        _check_reach(record, part)
    contig = _contig(draft, record, part)
    _check_segment(draft, record, contig)
    if contig.role is not ContigRole.HOST:
        twin = draft.digests.setdefault(hashlib.sha256(record.sequence).digest(), contig)
        if twin.target != contig.target:
            raise _refused(
                record,
                f"{record.name!r} ({contig.target}) is the same sequence as {twin.name!r} "
                f"({twin.target}); no read could distinguish them.",
                "remove one of them.",
            )
    draft.places[record.name] = place
    draft.contigs.append(contig)
    return contig


def _check_reach(record: FastaRecord, part: Assignment) -> None:
    """A target that no hit can be long enough on would be "not detected" in every run."""
    stretches = (len(s) for s in _UNKNOWN_BASES.split(record.sequence))
    longest = max(stretches, default=0)
    least = ScreeningParameters().min_block
    if longest < least:
        raise _refused(
            record,
            f"no read can hit {record.name!r} ({part.target}): its longest stretch of known bases "
            f"has {longest}, and a hit needs {least}.",
            "give the real sequence, or leave it out: the row is then reported as not screened.",
        )


def _check_target(draft: Draft, record: FastaRecord, part: Assignment) -> None:
    if part.role is not ContigRole.PANEL or part.target.startswith(EXTRA):
        return
    entry = draft.codes.get(part.target)
    if entry is None:
        raise _refused(
            record,
            f"{part.target!r} is no code of the panel list.",
            f"correct the code, or name an extra target {EXTRA}{part.target}.",
        )
    if entry.members:
        raise _refused(
            record,
            f"{part.target!r} is an umbrella for {', '.join(entry.members)}.",
            "use the code of the member.",
        )
    if other := named_instead(record.description, part.target, draft.codes.values()):
        raise _refused(
            record,
            f"{record.name!r} is filed under {part.target} ({entry.name}), and its title names "
            f"{other.code}: {record.description!r}.",
            f"file it under {other.code}, or correct the title.",
        )


def _contig(draft: Draft, record: FastaRecord, part: Assignment) -> Contig:
    entry = draft.codes.get(part.target) if part.role is ContigRole.PANEL else None
    circular = part.circular if part.circular is not None else bool(entry and entry.circular)
    host = part.role is ContigRole.HOST
    try:
        places = annotate(part.places, record.description, part.target, record.sequence, host=host)
    except AnnotationWrong as error:
        raise _refused(record, str(error), error.remedy) from error
    return Contig(
        name=record.name,
        role=part.role,
        target=part.target,
        length=len(record.sequence),
        circular=circular,
        segment=part.segment or _piece_in(record.description),
        accession=part.accession or (record.name if _ACCESSION.match(record.name) else ""),
        description=part.description or record.description,
        source=part.source or Path(record.file).name,
        masked=() if host else masked_intervals(record.sequence),
        perv_type=places.perv_type,
        features=places.features,
        single_copy=places.single_copy,
    )


def _piece_in(title: str) -> str:
    found = _PIECE.search(title)
    return found[1] if found else ""


def _check_segment(draft: Draft, record: FastaRecord, contig: Contig) -> None:
    """Pieces without a name would be taken for strains, and most of the genome for missing."""
    entry = draft.codes.get(contig.target) if contig.role is ContigRole.PANEL else None
    segments = _IN_SEGMENTS.search(entry.genome) if entry else None
    if segments and not contig.segment:
        raise _refused(
            record,
            f"{contig.target} has a genome in {segments[0]}, and {record.name!r} does not name "
            "its segment.",
            "write 'segment N' into its header, or use a sheet with a segment column.",
        )


def _refused(record: FastaRecord, problem: str, remedy: str) -> BundleRefused:
    return BundleRefused(
        problem, file=record.file, record=record.record, line=record.line, remedy=remedy
    )
