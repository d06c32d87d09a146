"""Sequence a planned run: batches of fragments -> errors and qualities -> FASTQ and truth.

Memory is the table of reads (about 100 bytes each) and one batch of fragments.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from porewatch_worker.simulate.edits import Codes, reverse_complement, to_bytes, to_codes
from porewatch_worker.simulate.errors import add_errors, draw_qualities
from porewatch_worker.simulate.files import FastqFiles, RunFiles
from porewatch_worker.simulate.genomes import Genome
from porewatch_worker.simulate.headers import HeaderFields
from porewatch_worker.simulate.plan import ReadTable, RunPlan, draw_table

BATCH = 500
TRUTH_COLUMNS = (
    "read_id", "file", "barcode", "sample", "target", "contig", "start", "end", "strand",
    "identity", "length", "chimera_with",
)  # fmt: skip


def simulate_run(plan: RunPlan, folder: Path, truth: Path) -> RunFiles:
    """Write the run as `fastq_pass/<barcode>/*.fastq.gz` below `folder`, and its truth (TSV).

    The same plan gives the same bytes. A read's place in the truth is that of its fragment, 0-based
    half-open on the forward strand; past the contig's length it goes on over a circle's origin.
    """
    rng = np.random.default_rng(plan.seed)
    run = _Sequencer(plan, draw_table(plan, rng), rng)
    written = RunFiles(folder, truth)
    truth.parent.mkdir(parents=True, exist_ok=True)
    with FastqFiles(plan, written) as files, truth.open("w", encoding="utf-8") as facts:
        facts.write("\t".join(TRUTH_COLUMNS) + "\n")
        for read in run.reads():
            file = files.write(read.barcode, read.header, read.sequence, read.quality)
            facts.write(run.truth(read, file))
    return written


@dataclass(frozen=True)
class _Read:
    row: int
    id: str
    barcode: str
    header: bytes
    sequence: bytes
    quality: bytes


class _Sequencer:
    """A plan, its table, and the generator that errors are drawn from, in order."""

    def __init__(self, plan: RunPlan, table: ReadTable, rng: np.random.Generator) -> None:
        self._plan = plan
        self._table = table
        self._rng = rng
        self._barcodes = plan.barcodes
        self._front = to_codes(plan.front_adapter)
        self._rear = to_codes(plan.rear_adapter)

    def reads(self) -> Iterator[_Read]:
        """All reads, ascending by time."""
        for start in range(0, len(self._table), BATCH):
            yield from self._batch(np.arange(start, min(start + BATCH, len(self._table))))

    def _batch(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Iterator[_Read]:
        molecules = [self._molecule(int(row)) for row in rows]
        sizes = np.array([len(molecule) for molecule in molecules])
        identities = self._table.identity[rows]
        joined = np.concatenate(molecules)
        codes, lengths = add_errors(joined, sizes, identities, self._plan.model, self._rng)
        values = draw_qualities(lengths, identities, self._plan.model, self._rng)
        letters, signs = to_bytes(codes), (values + 33).tobytes()
        ids = self._rng.bytes(16 * len(rows))
        ends = np.cumsum(lengths).tolist()
        for number, (row, end) in enumerate(zip(rows.tolist(), ends, strict=True)):
            start = ends[number - 1] if number else 0
            if start == end:
                continue  # every base was deleted: nothing came out of the pore
            read_id = str(uuid.UUID(bytes=ids[16 * number : 16 * number + 16], version=4))
            barcode, header = self._header(row, read_id, end - start)
            yield _Read(row, read_id, barcode, header, letters[start:end], signs[start:end])

    def _molecule(self, row: int) -> Codes:
        """Adapter, fragment, perhaps a second fragment, adapter: what goes through the pore."""
        parts = [self._fragment(row)]
        if self._table.partner[row] >= 0:
            parts.append(self._fragment(int(self._table.partner[row])))
        if self._table.untrimmed[row]:
            parts = [self._front, *parts, self._rear]
        return np.concatenate(parts)

    def _fragment(self, row: int) -> Codes:
        genome = self._genome(row)
        start = int(self._table.start[row])
        end = start + int(self._table.length[row])
        codes = genome.codes[start:end]
        if end > len(genome):
            codes = np.concatenate([codes, genome.codes[: end - len(genome)]])
        return reverse_complement(codes) if self._table.reverse[row] else codes

    def _genome(self, row: int) -> Genome:
        genomes = self._plan.sources[int(self._table.source[row])].genomes
        return genomes[int(self._table.contig[row])]

    def _header(self, row: int, read_id: str, length: int) -> tuple[str, bytes]:
        table, identity = self._table, self._plan.identity
        barcode = self._barcodes[table.barcode[row]]
        fields = HeaderFields(
            id=read_id,
            number=row + 1,
            channel=int(table.channel[row]),
            start=identity.started_at + timedelta(seconds=round(float(table.second[row]), 3)),
            barcode=barcode,
            quality=float(-10 * np.log10(1 - table.identity[row])),
            length=length,
        )
        return barcode, identity.header(fields, self._plan.dialect)

    def truth(self, read: _Read, file: str) -> str:
        """The read's line of the truth."""
        table, row = self._table, read.row
        genome, start = self._genome(row), int(table.start[row])
        partner = int(table.partner[row])
        facts = (
            read.id,
            file,
            read.barcode,
            self._plan.sources[table.source[row]].sample,
            genome.target,
            genome.name,
            start,
            start + int(table.length[row]),
            "-" if table.reverse[row] else "+",
            f"{table.identity[row]:.4f}",
            len(read.sequence),
            self._genome(partner).name if partner >= 0 else "",
        )
        return "\t".join(map(str, facts)) + "\n"
