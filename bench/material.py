"""What the benchmarks run on: real nanopore reads when they are at hand, synthetic ones if not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def shared() -> Path | None:
    """The folder of real data (POREWATCH_SHARED, or `shared` beside the repository)."""
    folder = Path(os.environ.get("POREWATCH_SHARED") or REPOSITORY.parent / "shared") / "data"
    return folder if folder.is_dir() else None


def some_reads(folder: Path, copies: int = 6) -> tuple[Path, str]:
    """One .fastq.gz of some tens of MB, and what is in it: gzip members laid end to end."""
    real = shared()
    out = folder / "reads.fastq.gz"
    if real is None:
        from porewatch_worker.simulate.demo import make_demo

        sources = sorted(make_demo(folder / "demo").run_folder.rglob("*.fastq.gz"))
        description = "synthetic demo reads"
    else:
        names = ("nanotest_ultralong.fastq.gz", "qcat_nobarcode_1k.fastq.gz")
        sources = [real / "reads" / name for name in names]
        description = "real R9 reads (E. coli ultra-long, lambda)"
    with out.open("wb") as joined:
        for source in sources * copies:
            with source.open("rb") as part:
                shutil.copyfileobj(part, joined)
    return out, f"{description}, {out.stat().st_size / 1e6:.0f} MB gz"
