"""What a file name promises: FASTQ, BAM or POD5, and what to do about everything else."""

from __future__ import annotations

from pathlib import PurePosixPath

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import ReadKind

SUFFIXES: dict[str, ReadKind] = {
    ".fastq": ReadKind.FASTQ,
    ".fastq.gz": ReadKind.FASTQ,
    ".fq": ReadKind.FASTQ,
    ".fq.gz": ReadKind.FASTQ,
    ".bam": ReadKind.BAM,
    ".pod5": ReadKind.POD5,
}

_REMEDIES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        (".fast5",),
        "FAST5 is not read here.",
        "convert it: pod5 convert fast5 *.fast5 --output reads.pod5",
    ),
    (
        (".fasta", ".fa", ".fna", ".fasta.gz", ".fa.gz", ".fna.gz"),
        "FASTA has no quality values, and screening needs them.",
        "send the FASTQ or BAM that the basecaller wrote.",
    ),
    (
        (".fastq.bz2", ".fq.bz2", ".fastq.xz", ".fq.xz", ".fastq.zst", ".fq.zst", ".fastq.zip"),
        "This compression is not read here.",
        "unpack it and compress it with gzip (name ending in .fastq.gz).",
    ),
    (
        (".sam", ".cram"),
        "SAM and CRAM are not read here.",
        "convert it: samtools view -b -o reads.bam FILE",
    ),
)


def find_kind(name: str) -> ReadKind | None:
    """The kind a name's suffix promises, or None. Letter case does not matter.

    >>> find_kind('a.fastq.gz'), find_kind('notes.txt')
    (<ReadKind.FASTQ: 'fastq'>, None)
    """
    lowered = name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if lowered.endswith(suffix)), None)


def kind_of(name: str) -> ReadKind:
    """The kind a name's suffix promises. Raises InputRefused, with the remedy, for any other."""
    kind = find_kind(name)
    if kind is not None:
        return kind
    lowered = name.lower()
    for suffixes, problem, remedy in _REMEDIES:
        if lowered.endswith(suffixes):
            raise InputRefused(problem, file=name, remedy=remedy)
    raise InputRefused(
        "Neither reads nor signal, by its name.",
        file=name,
        remedy=f"send files whose names end in {', '.join(SUFFIXES)}.",
    )


def folders_and_name(path: str) -> tuple[list[str], str]:
    """The folders of a path, and what it ends in. One of dots alone (`.`) is its own name.

    >>> folders_and_name("a/b.bam")
    (['a'], 'b.bam')
    """
    *folders, name = PurePosixPath(path).parts or (path,)
    return folders, name


def is_gzip_name(name: str) -> bool:
    return name.lower().endswith(".gz")
