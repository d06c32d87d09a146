"""Small invented reference folders for tests."""

from __future__ import annotations

import random
from pathlib import Path


def bases(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def fasta(path: Path, **sequences: str) -> Path:
    """Write the sequences by name (`_` at the end of a name is dropped)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f">{n.rstrip('_')} x\n{s}\n" for n, s in sequences.items()))
    return path


def folder_with_two_viruses(path: Path) -> Path:
    """`panel/PCV2.fa`, `panel/HEV/{a,b}.fa`, `spike/control.fa`, `decoy/PCV1.fa`, `host.fa`."""
    fasta(path / "panel" / "PCV2.fa", pcv2=bases(1768, 1))
    fasta(path / "panel" / "HEV" / "a.fa", hev1=bases(3000, 2))
    fasta(path / "panel" / "HEV" / "b.fa", hev2=bases(3100, 3))
    fasta(path / "spike" / "control.fa", spike1=bases(2000, 4))
    fasta(path / "decoy" / "PCV1.fa", pcv1=bases(1759, 5))
    fasta(path / "host.fa", chr1=bases(40_000, 6), chr2=bases(20_000, 7))
    return path
