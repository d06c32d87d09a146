"""Placement of a read: its hits, candidate targets, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass

from porewatch.domain.calls.references import ContigRole


@dataclass(frozen=True)
class Segment:
    """One accepted hit, half-open intervals on the contig and on the read. `evidence` is the part
    of the reference interval outside masked regions, in bases."""

    contig: str
    strand: int
    start: int
    end: int
    read_start: int
    read_end: int
    matched: int
    block: int
    mapq: int
    evidence: int


@dataclass(frozen=True)
class Candidate:
    """A target's best contig for this read. `alike`: the read's hits on strains that fit it nearly
    as well, which show depth there (near-identical strains would share the reads out otherwise)."""

    target: str
    role: ContigRole
    segments: tuple[Segment, ...]
    alike: tuple[Segment, ...] = ()

    @property
    def matched(self) -> int:
        return sum(s.matched for s in self.segments)


@dataclass(frozen=True)
class PervHit:
    """A PERV read, whatever it is assigned to. `host_parts`: parts of the read beside PERV that are
    host."""

    candidate: Candidate
    host_alike: bool
    host_parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class LocusHit:
    """A host read at a single-copy locus. `milli`: thousandths of its prefix inside; `tile`: contig
    and kilobase of their middle."""

    tile: str
    milli: int


@dataclass(frozen=True)
class HostFit:
    """How the host fits a read: matched bases, aligned bases, whether on its ribosomal RNA, and
    whether the whole read had to be tested because its first bases left doubt."""

    matched: int
    block: int
    rrna: bool
    in_full: bool = False


@dataclass(frozen=True)
class Placement:
    """The verdict on one read. `role` None: unassigned.

    `winner` has the evidence. `tied` are panel members that lost or share the read by a tie, with
    `tied_with` the targets (or the host) that fit as well. `host_better`: the panel member that the
    host beat outright. `flank_bases`: bases of the read beside the winner that the host fits.
    """

    role: ContigRole | None
    winner: Candidate | None = None
    tied: tuple[str, ...] = ()
    tied_with: tuple[str, ...] = ()
    host_better: str | None = None
    host_flank: bool = False
    flank_bases: int = 0
    perv: PervHit | None = None
    locus: LocusHit | None = None
    fit: HostFit | None = None

    @property
    def alone(self) -> Candidate | None:
        """The candidate that has this read for itself alone."""
        shared = self.role is ContigRole.PANEL and self.tied
        return None if shared else self.winner
