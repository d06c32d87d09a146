"""What a sample's reads showed beside the panel: the host's part, and what fits nothing at all."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from porewatch.domain.base import Model


class HostScreen(Model):
    """Reads given to the host: how well they fit it, and how many are its ribosomal RNA.

    `identity` = matching bases / alignment block over what was aligned, base-weighted; `identities`
    counts reads by whole per cent of their own. A read whose first bases fit the host doubtfully is
    tested in full (`tested_in_full`); the host keeps it only when it fits enough of it, and
    `let_go` reads it did not keep are among the unassigned.
    """

    reads: int = 0
    bases: int = 0
    identity: float | None = None
    identities: Annotated[dict[str, int], Field(description="per cent -> reads")] = {}
    rrna_reads: Annotated[int, Field(description="of `reads`, those on ribosomal RNA")] = 0
    rrna_bases: int = 0
    tested_in_full: int = 0
    let_go: int = 0


class UnknownLead(Model):
    """A genome of the broader sketches that shares words with the unassigned reads: a lead, never a
    call. `containment`: share of the genome's sampled words that are among the reads'."""

    name: str
    source: str
    shared_words: int
    containment: float


class Unknowns(Model):
    """The unassigned reads of one sample in short. Words are of 21 bases, both strands as one, of
    the first bases of each read; `sampled_words` of them were kept, those with the smallest hashes
    (FracMinHash, Irber et al. 2022, bioRxiv 2022.01.11.475838), about one in `one_in`.

    `recurring_words` stand in three reads or more: something is there in several copies, of about
    `recurring_bases` bases, each in `recurring_depth` reads. `searched`: the sketches looked into.
    """

    reads: int = 0
    bases: int = 0
    share_of_passed: float | None = None
    complex_share: Annotated[
        float | None, Field(description="of the bases looked at, those of no low complexity")
    ] = None
    gc_fraction: float | None = None
    median_length: float | None = None
    n50: int = 0
    longest: int = 0
    sampled_words: int = 0
    one_in: float = 1.0
    recurring_words: int = 0
    recurring_bases: int = 0
    recurring_depth: float | None = None
    searched: tuple[str, ...] = ()
    leads: tuple[UnknownLead, ...] = ()
