"""The one pass over the reads behind quality control, host removal and pathogen detection.

A unit is `unit_reads` consecutive reads, of several files where those are small. Within it, chunks
of 50 reads go to threads that share both indexes (mappy releases the interpreter lock); chunks are
added up in order. All counts are whole numbers, so the result depends on neither threads nor unit
size. Each of the three phases then has a record of its own (`screening_records`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import mappy

from porewatch.domain.base import Moment, now
from porewatch.domain.calls.evidence import ScreenResult
from porewatch.domain.calls.references import ContigRole
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.read_limits import (
    for_sample,
    limits_of,
)
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.domain.stage.spec import Phase
from porewatch_worker import __version__
from porewatch_worker.phases.screening_records import SCREENING, records, refuse_without_reads
from porewatch_worker.references.load import LoadedBundle
from porewatch_worker.science.call.containment import ReferenceKmers
from porewatch_worker.science.call.unread import in_turns
from porewatch_worker.science.count.totals import RunTotals
from porewatch_worker.science.count.unassigned import (
    FOLDER,
    Sketches,
)
from porewatch_worker.science.count.units import (
    SampleCounts,
    UnitCounts,
    add,
    unit_from_bytes,
)
from porewatch_worker.science.read.assign_read import ReadAssigner
from porewatch_worker.science.read.demultiplex import SampleAssigner
from porewatch_worker.science.read.filter_reads import filter_read
from porewatch_worker.science.read.kit_ends import KitEnds
from porewatch_worker.science.read.perv_reads import PervReader
from porewatch_worker.science.read.placement import Placement
from porewatch_worker.science.read.why_filtered import AGAIN, LOW_COMPLEXITY, OTHER_BARCODE
from porewatch_worker.science.reads import Read, Unit, read_units
from porewatch_worker.science.sequence.complexity import complex_bases
from porewatch_worker.stage_work import (
    Inputs,
    Lost,
    StageResult,
    UnitOutput,
    fingerprint_of,
)
from porewatch_worker.suspicions.running import RunningVerdict

CHUNK = 50
OUTPUT = "screen.json"
_VERSION = 9
"""Raise when the pass changes an answer: old checkpoints become invalid."""

Placed = tuple[str, str, Placement]
"""Sample, sequence and verdict of one read."""


class ScreeningWork:
    """StageWork of the pass. `phases`: those of the three whose records this stage writes.
    `unknowns`: whether reads that fit nothing are looked into; without a whole host most do not."""

    def __init__(
        self,
        *,
        files: Sequence[InputFile],
        samples: Sequence[Sample],
        parameters: ScreeningParameters,
        bundle: LoadedBundle,
        inputs: Inputs,
        phases: Sequence[Phase] = SCREENING,
        unknowns: bool = True,
    ) -> None:
        self._files = in_turns(files, samples)
        self._samples = tuple(samples)
        self._parameters = parameters
        self._bundle = bundle
        self._inputs = inputs
        self._phases = tuple(phases)
        self._unknowns = unknowns
        self._owners = SampleAssigner(self._samples)
        self._sketches = Sketches(bundle.folder.parent.parent / FOLDER)
        self._started_at: Moment = now()
        own = {s.name: for_sample(parameters, s) for s in self._samples}
        self._least = {name: p.min_read_length for name, p in own.items()}
        placers = {
            p.min_block: ReadAssigner(bundle.panel_aligner, bundle.host_aligner, bundle.contigs, p)
            for p in own.values()
        }
        self._placers = {name: placers[p.min_block] for name, p in own.items()}
        self._kit_ends = KitEnds()
        self._reference_kmers = ReferenceKmers(
            bundle.contigs.values(), bundle.panel_aligner.seq, bundle.words
        )
        self._perv = PervReader(bundle.contigs.values(), bundle.panel_aligner.seq, parameters)

    def fingerprint(self) -> str:
        """Digest over code, parameters, bundle, files and samples."""
        depends_on = {
            "version": [_VERSION, __version__, mappy.__version__],
            "parameters": self._parameters.model_dump(mode="json"),
            "bundle": self._bundle.sha256,
            "sketches": self._sketches.marks(),
            "files": [f.model_dump(mode="json") for f in self._files],
            "samples": sorted((s.name, s.barcode or "") for s in self._samples),
            "limits": {s.name: limits_of(s, self._parameters).digest() for s in self._samples},
        }
        return fingerprint_of(depends_on)

    def units_total(self) -> int | None:
        """Unknown before the files are read."""
        return None

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, Unit]]:
        """Numbered units that are not in `done`; those are passed over by counting records."""
        self._inputs.expect(file.path for file in self._files)
        return read_units(self._files, self._inputs.path, self._parameters.unit_reads, done)

    def process(self, payload: Unit) -> UnitOutput:
        """Screen one unit."""
        chunks = [
            (place, part.file, part.reads[i : i + CHUNK])
            for place, part in enumerate(payload.parts)
            for i in range(0, len(part.reads), CHUNK)
        ]
        counts = UnitCounts()
        reads: list[Counter[str]] = [Counter() for _ in payload.parts]
        with ThreadPoolExecutor(self._parameters.threads) as threads:
            done = threads.map(lambda c: self._chunk(c[1], c[2]), chunks)
            for (place, *_), chunk in zip(chunks, done, strict=True):
                reads[place].update({name: s.total for name, s in chunk.samples.items()})
                add(counts, chunk)
        counts.stood_in(payload, reads)
        return UnitOutput(
            content=counts.to_bytes(),
            reads=payload.number_of_reads,
            bases=sum(len(r.sequence) for part in payload.parts for r in part.reads),
            consumed=payload.consumed,
        )

    def give_up(self, payload: Unit) -> Lost | None:
        """Count every read of the unit as quarantined, by sample, without analysing any."""
        counts = UnitCounts()
        reads: list[Counter[str]] = []
        for part in payload.parts:
            found = self._owners.assign(part.file, part.reads, search_ends=False)
            counts.demultiplexed(found)
            mine = found.owned
            reads.append(Counter(owned.sample for owned in mine))
            for owned in mine:
                counts.sample(owned.sample).lose()
        counts.stood_in(payload, reads)
        return Lost(
            content=counts.to_bytes(),
            what=payload.sentence(),
            stretches=payload.stretches(),
            reads=payload.number_of_reads,
            samples=tuple(sorted(counts.samples)),
            consumed=payload.consumed,
        )

    def progress(self) -> Progress:
        total = sum(file.size for file in self._files)
        return Progress(phase=self._phases[-1], bytes_total=total)

    def running(self) -> RunningVerdict:
        """The report's rule over the totals of finished units."""
        return RunningVerdict(
            bundle=self._bundle.manifest,
            bundle_sha256=self._bundle.sha256,
            panel=self._bundle.panel,
            files=self._files,
            samples=self._samples,
            parameters=self._parameters,
        )

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        """Add all units up and write `screen.json`. Raises NoReadsLeft when nothing passed."""
        totals = RunTotals(self._bundle.contigs.values(), self._parameters)
        for content in contents:
            totals.add(unit_from_bytes(content))
        result = ScreenResult(
            bundle=self._bundle.ref,
            bundle_sha256=self._bundle.sha256,
            synthetic=self._bundle.manifest.synthetic,
            samples=totals.screens([s.name for s in self._samples], self._sketches),
            unlisted_barcodes=dict(sorted(totals.unlisted.items())),
        )
        refuse_without_reads(result, self._parameters, self._least)
        scratch.mkdir(parents=True, exist_ok=True)
        path = scratch / OUTPUT
        path.write_text(result.canonical_json(), "utf-8")
        done = records(self._phases, result, self._started_at)
        return StageResult(outputs={OUTPUT: path}, phases=done)

    def _chunk(self, file: InputFile, reads: Sequence[Read]) -> UnitCounts:
        counts = UnitCounts()
        unknown: dict[str, list[str]] = {}
        cells: dict[tuple[str, str], list[str]] = {}
        placed = [*self._all_placed(file, reads, counts)]
        for (sample, sequence, placement), kit in zip(placed, self._kits(placed), strict=True):
            counts.sample(sample).place(len(sequence), placement, kit)
            if placement.role is None:
                unknown.setdefault(sample, []).append(sequence)
            elif (cell := placement.alone) and cell.target in self._reference_kmers:
                found = [sequence[s.read_start : s.read_end] for s in cell.segments]
                cells.setdefault((sample, cell.target), []).extend(found)
        for sample, sequences in unknown.items() if self._unknowns else ():
            counts.sample(sample).unknown.take(sequences)
        for (sample, target), stretches in cells.items():
            counts.sample(sample).take_kmers(
                target, *self._reference_kmers.found(target, stretches)
            )
        return counts

    def _all_placed(
        self, file: InputFile, reads: Sequence[Read], counts: UnitCounts
    ) -> Iterator[Placed]:
        """The reads that passed, each with its verdict; those that did not are counted."""
        buffer, found = mappy.ThreadBuffer(), self._owners.assign(file, reads)
        counts.demultiplexed(found)
        mine = found.owned
        least = [self._least[o.sample] for o in mine]
        for owned, judged in zip(
            mine, filter_read([o.read for o in mine], self._parameters, least), strict=True
        ):
            seen = counts.sample(owned.sample)
            if owned.contradicted and judged.reason is None:
                judged = replace(judged, reason=OTHER_BARCODE)  # noqa: PLW2901 - the same read
            if owned.read.again:
                judged = replace(judged, reason=AGAIN)  # noqa: PLW2901 - the same read
            seen.see(judged)
            if judged.reason is not None:
                continue
            placement = self._placed(owned.sample, seen, judged.sequence, buffer)
            if placement is not None:
                yield owned.sample, judged.sequence, placement

    def _placed(
        self, sample: str, counts: SampleCounts, sequence: str, buffer: Any
    ) -> Placement | None:
        """The placement of a read (PERV and locus counted); None if its complexity is too low."""
        placer = self._placers[sample]
        placement = placer.place(sequence, buffer)
        if placement.role is None and complex_bases(sequence) < placer.min_block:
            counts.refuse(len(sequence), LOW_COMPLEXITY)
            return None
        if placement.perv:
            counts.perv.take(self._perv.analyse(sequence, placement.perv, buffer))
        if placement.locus:
            counts.perv.take_locus(placement.locus)
        return placement

    def _kits(self, placed: Sequence[Placed]) -> list[int]:
        """Bases that the kit added at the ends of each read; 0 for reads that do not need it."""
        to_search = {
            number: (sequence, alone.segments)
            for number, (_, sequence, placement) in enumerate(placed)
            if (alone := placement.alone) and alone.role in (ContigRole.PANEL, ContigRole.SPIKE)
        }
        found = dict(zip(to_search, self._kit_ends.bases([*to_search.values()]), strict=True))
        return [found.get(number, 0) for number in range(len(placed))]
