"""Made-up genomes and reads, all seeded: for what real data cannot show."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable
from pathlib import Path

from porewatch_worker.references.building.build import build_bundle
from porewatch_worker.references.load import LoadedBundle, load
from validation.screens import diverged, random_sequence

PERV_A = random_sequence(8_000, 11)
PERV_B = PERV_A[:5_000] + random_sequence(3_000, 12)
CSFV = random_sequence(12_000, 13)
RELATIVE = diverged(CSFV[:6_000], 0.1, 14) + random_sequence(3_000, 15)
RABV = random_sequence(9_000, 16) + "A" * 1_500
SPIKE = random_sequence(20_000, 17)
HOST_PERV = diverged(PERV_A, 0.04, 18)
HOST = random_sequence(150_000, 19) + HOST_PERV + random_sequence(50_000, 20)
NEW_SITE = HOST[20_000:22_000]
"""A place in the host where its genome has no PERV."""

SHEET = """file\trole\ttarget\tdescription
perv_a.fa\tpanel\tPERV-A\tSYNTHETIC surrogate
perv_b.fa\tpanel\tPERV-B\tSYNTHETIC surrogate
csfv.fa\tpanel\tCSFV\tSYNTHETIC
rabv.fa\tpanel\tRABV\tSYNTHETIC
relative.fa\tdecoy\tpestivirus-relative\tSYNTHETIC
spike.fa\tspike\tspike\tSYNTHETIC
host.fa\thost\thost\tSYNTHETIC
"""


def made_bundle(root: Path) -> LoadedBundle:
    folder = root / "fasta"
    folder.mkdir(parents=True)
    genomes = {"perv_a": PERV_A, "perv_b": PERV_B, "csfv": CSFV, "rabv": RABV,
               "relative": RELATIVE, "spike": SPIKE, "host": HOST}  # fmt: skip
    for name, sequence in genomes.items():
        (folder / f"{name}.fa").write_text(f">{name}\n{sequence}\n")
    (root / "sheet.tsv").write_text(SHEET)
    build_bundle(folder, root, "made", "1", sheet=root / "sheet.tsv", synthetic=True)
    return load(root, "made@1")


def erred(sequence: str, seed: int, share: float = 0.05) -> str:
    """A read of `sequence`: substitutions, insertions and deletions, a third each."""
    dice = random.Random(seed)
    out = []
    for base in sequence:
        kind = dice.random() / share
        if kind >= 1:
            out.append(base)
        elif kind < 1 / 3:
            out.append(dice.choice("ACGT"))
        elif kind < 2 / 3:
            out.append(base + dice.choice("ACGT"))
    return "".join(out)


def reads_of(genome: str, number: int, length: int, seed: int, share: float = 0.05) -> list[str]:
    """Reads at random places, on either strand."""
    dice = random.Random(seed)
    reads = []
    for _ in range(number):
        start = dice.randrange(max(1, len(genome) - length))
        read = erred(genome[start : start + length], dice.randrange(1 << 30), share)
        reads.append(read if dice.random() < 0.5 else reverse(read))
    return reads


def reverse(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def write_fastq(path: Path, reads: Iterable[str], quality: str = "5", header: str = "") -> Path:
    """FASTQ (gzip by name). `header` follows each read's name."""
    text = "".join(
        f"@read{i}{header}\n{read}\n+\n{quality * len(read)}\n" for i, read in enumerate(reads)
    )
    data = text.encode()
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path
