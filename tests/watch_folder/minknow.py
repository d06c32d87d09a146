"""A folder as MinKNOW writes it: pass files in batches, failed ones, records, the summary last."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

SUMMARY = (
    "acquisition_run_id=abc\nstarted=2026-02-28T10:00:00+01:00\ninstrument=MN1\n"
    "flow_cell_id=FAX00001\n"
)
SHEET = "alias,barcode,type\npig,barcode01,test_sample\nntc,barcode02,no_template_control\n"
PREFIX = "fastq_pass/barcode01/FAX00001_pass_barcode01_abcdef01_"


def reads(seed: int, number: int = 20) -> bytes:
    """A closed file of reads."""
    draw = random.Random(seed)
    lines = (
        f"@read-{seed}-{n}\n{''.join(draw.choices('ACGT', k=60))}\n+\n{'I' * 60}\n"
        for n in range(number)
    )
    return gzip.compress("".join(lines).encode(), mtime=0)


def name_of(number: int, barcode: str = "barcode01", verdict: str = "pass") -> str:
    cell = f"FAX00001_{verdict}_{barcode}_abcdef01_{number}.fastq.gz"
    return f"fastq_{verdict}/{barcode}/{cell}"


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def begun(folder: Path, files: int = 3) -> dict[str, bytes]:
    """Pass files of the run so far, and what lies beside them; the pass files by name."""
    made = {name_of(n): reads(n) for n in range(files)}
    made[name_of(0, "barcode02")] = reads(100)
    for name, content in made.items():
        put(folder, name, content)
    put(folder, name_of(0, verdict="fail"), reads(200))
    put(folder, "fastq_skip/barcode01/a.fastq.gz", reads(201))
    put(folder, "sample_sheet.csv", SHEET)
    put(folder, "sequencing_summary_FAX00001_abcdef01.txt", "a\tb\n")
    return made


def ended(folder: Path, counted: int | None = None) -> None:
    """The final summary comes last."""
    more = "" if counted is None else f"fastq_files_in_final_dest={counted}\n"
    put(folder, "final_summary_FAX00001_abcdef01.txt", SUMMARY + more)
