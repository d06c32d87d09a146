"""Runs of many small files, in the shape in which MinKNOW writes them: pieces of the demo's reads.

MinKNOW begins a new file every so many reads or minutes, for each barcode: a flow cell that barely
sequences leaves thousands of files with a few reads each.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from isal import igzip

from porewatch_worker.simulate.demo import DemoSet

READ_LENGTH = 700
"""Bases of a piece: no filter takes it, and it is quick to map."""

READS_PER_FILE = 3
_COUNT = re.compile(r"^fastq_files_in_final_dest=.*$", re.MULTILINE)


def small_files(
    demo: DemoSet, files: int, reads_per_file: int = READS_PER_FILE
) -> Iterator[tuple[str, bytes]]:
    """(path, content) of `files` files, the barcodes in turn, each as often as its reads are many.

    Equal arguments give equal bytes. ValueError when the demo has too few reads for them.
    """
    sources = {p.parent.name: p for p in sorted(demo.run_folder.glob("fastq_pass/barcode*/*.gz"))}
    pieces = {barcode: list(_pieces(path)) for barcode, path in sources.items()}
    if files * reads_per_file > sum(len(some) for some in pieces.values()) * 0.9:
        raise ValueError(f"the demo has too few reads for {files} files of {reads_per_file}")
    written = dict.fromkeys(sources, 0)
    for _ in range(files):
        barcode = min(written, key=lambda b: (written[b] + 1) * reads_per_file / len(pieces[b]))
        number = written[barcode]
        written[barcode] += 1
        some = pieces[barcode][number * reads_per_file : (number + 1) * reads_per_file]
        name = f"{sources[barcode].name.rpartition('_')[0]}_{number}.fastq.gz"
        yield f"fastq_pass/{barcode}/{name}", igzip.compress(b"".join(some), 2)


def final_summary(demo: DemoSet, files: int) -> tuple[str, bytes]:
    """(path, content) of the summary that MinKNOW writes last, for so many files."""
    (path,) = demo.run_folder.glob("final_summary_*.txt")
    text = _COUNT.sub(f"fastq_files_in_final_dest={files}", path.read_text("utf-8"))
    return path.name, text.encode()


def _pieces(path: Path) -> Iterator[bytes]:
    """The reads of a file cut into pieces, each a FASTQ record with an id of its own."""
    with igzip.open(path, "rb") as lines:  # type: ignore[no-untyped-call]
        for header, sequence, _, quality in zip(lines, lines, lines, lines, strict=True):
            name, _, rest = header.partition(b" ")
            for at in range(0, len(sequence) - READ_LENGTH, READ_LENGTH):
                own = uuid.uuid5(uuid.NAMESPACE_OID, f"{name.decode()} {at}")
                bases = slice(at, at + READ_LENGTH)
                yield b"@%b %b%b\n+\n%b\n" % (
                    str(own).encode(), rest, sequence[bases], quality[bases]
                )  # fmt: skip
