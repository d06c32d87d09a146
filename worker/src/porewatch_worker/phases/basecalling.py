"""Phase 1: signal (POD5) to reads (unaligned BAM) by dorado; one unit per POD5 file.

A unit's content is one line of JSON (`Called`: metadata from the header and dorado) and the BAM.
The BAM is rewritten with its reads sorted by id, because dorado's order varies: equal results give
equal bytes. Published are `bam/...` for every file that gave reads, and `basecalling.json` with
files, model and counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

from porewatch.domain.base import Model, now
from porewatch.domain.errors import InputRefused
from porewatch.domain.reasons.reason import RunCode, because
from porewatch.domain.runs import InputFile, Sequencing
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch.domain.stage.spec import Phase
from porewatch.reads.pod5 import signal_of
from porewatch_worker import __version__
from porewatch_worker.phases.called_bam import in_order
from porewatch_worker.phases.dorado import Dorado
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.stage_inputs import basecalled_name
from porewatch_worker.stage_work import (
    Inputs,
    Lost,
    StageResult,
    UnitOutput,
    fingerprint_of,
)

SUMMARY = "basecalling.json"


class Called(Model):
    """What came of one POD5 file. `signal_reads` went in, `reads` (after splitting) came out."""

    path: str
    output: str
    signal_reads: int
    sample_rate: int
    reads: int
    bases: int
    model: str
    sequencing: Sequencing


class Basecalling(Model):
    """`basecalling.json`."""

    basecaller: str
    version: str
    model: str
    device: str
    files: tuple[Called, ...]


class BasecallingWork:
    """`StageWork` of the basecalling stage.

    `by_barcode`: samples are distinguished by barcode, so files without a known barcode are
    demultiplexed by dorado with `kit`, or the kit of the POD5 header. `sample_of`: the sample's
    name by barcode.
    """

    def __init__(
        self,
        files: tuple[InputFile, ...],
        inputs: Inputs,
        settings: BasecallerSettings,
        scratch: Path,
        *,
        by_barcode: bool = False,
        sample_of: Mapping[str, str] | None = None,
        kit: str | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._files, self._inputs, self._scratch = files, inputs, scratch
        self._by_barcode, self._kit, self._stopped = by_barcode, kit, stopped
        self._sample_of = dict(sample_of or {})
        self._dorado = Dorado.find(settings)
        self._started_at = now()
        self._at = ""

    def fingerprint(self) -> str:
        settings = self._dorado.settings
        depends_on = [
            ["porewatch", __version__],
            ["dorado", self._dorado.version, settings.model, self._by_barcode, self._kit],
            *([f.path, f.size, f.sha256, f.barcode] for f in self._files),
        ]
        return fingerprint_of(depends_on)

    def units_total(self) -> int | None:
        return len(self._files)

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, tuple[InputFile, Path]]]:
        left = [(n, file) for n, file in enumerate(self._files, start=1) if n not in done]
        self._inputs.expect(file.path for _, file in left)
        for number, file in left:
            yield number, (file, self._inputs.path(file.path))

    def process(self, payload: tuple[InputFile, Path]) -> UnitOutput:
        file, signal = payload
        self._at = file.path
        pod5 = signal_of(signal, name=file.path)
        self._scratch.mkdir(parents=True, exist_ok=True)
        raw, ordered = self._scratch / "called.bam", self._scratch / "ordered.bam"
        kit = self._kit_for(file, pod5.sequencing)
        self._dorado.call(signal, raw, name=file.path, kit=kit, stopped=self._stopped)
        count, bases, model = in_order(raw, ordered, name=file.path)
        called = Called(
            path=file.path,
            output=basecalled_name(file.path),
            signal_reads=pod5.reads,
            sample_rate=pod5.sample_rate,
            reads=count,
            bases=bases,
            model=model or self._dorado.settings.model,
            sequencing=pod5.sequencing.model_copy(update={"basecall_model": model}),
        )
        content = called.canonical_json().encode() + b"\n" + ordered.read_bytes()
        raw.unlink()
        ordered.unlink()
        return UnitOutput(content=content, reads=count, bases=bases, consumed=file.size)

    def give_up(self, payload: tuple[InputFile, Path]) -> Lost | None:
        """A file of which no read comes. The file itself is not opened: it may be what kills."""
        file, _ = payload
        called = Called(
            path=file.path,
            output=basecalled_name(file.path),
            signal_reads=0,
            sample_rate=0,
            reads=0,
            bases=0,
            model=self._dorado.settings.model,
            sequencing=Sequencing(),
        )
        content = called.canonical_json().encode() + b"\n"
        return Lost(content, file.path, samples=self._samples_of(file), consumed=file.size)

    def progress(self) -> Progress:
        called = self._scratch / "called.bam"
        size = called.stat().st_size if called.exists() else 0
        note = f"{self._at}: {size / 1e6:.0f} MB called" if size else self._at
        total = sum(file.size for file in self._files)
        return Progress(phase=Phase.BASECALLING, note=note, bytes_total=total)

    def running(self) -> None:
        """Nothing alarms before the end."""

    def finish(self, contents: Iterator[bytes], scratch: Path) -> StageResult:
        files: list[Called] = []
        outputs: dict[str, Path] = {}
        for content in contents:
            line, _, bam = content.partition(b"\n")
            called = Called.model_validate_json(line)
            files.append(called)
            if called.reads:
                outputs[called.output] = _written(scratch / called.output, bam)
        summary = self._summary(tuple(files))
        outputs[SUMMARY] = _written(scratch / SUMMARY, summary.canonical_json().encode())
        return StageResult(outputs=outputs, phases=(self._record(summary),))

    def _samples_of(self, file: InputFile) -> tuple[str, ...] | None:
        """The sample whose reads a file holds; None when it may hold reads of any sample."""
        name = self._sample_of.get(file.barcode or "")
        return None if name is None else (name,)

    def _kit_for(self, file: InputFile, sequencing: Sequencing) -> str | None:
        if not self._by_barcode or file.barcode is not None:
            return None
        kit = self._kit or sequencing.kit
        if kit is None:
            raise InputRefused(
                "The samples are distinguished by barcode, and neither the manifest nor this file "
                "names the kit that dorado needs to read barcodes.",
                file=file.path,
                remedy="set sequencing.kit in the manifest, e.g. SQK-RBK114-24.",
            )
        return kit.upper()

    def _summary(self, files: tuple[Called, ...]) -> Basecalling:
        models = sorted({called.model for called in files})
        return Basecalling(
            basecaller="dorado",
            version=self._dorado.version,
            model=", ".join(models),
            device=self._dorado.settings.device,
            files=files,
        )

    def _record(self, summary: Basecalling) -> PhaseRecord:
        silent = sum(not called.reads for called in summary.files)
        return PhaseRecord(
            phase=Phase.BASECALLING,
            status="completed",
            why=(because(RunCode.FILES_WITHOUT_READS, n=silent),) if silent else (),
            how=(
                because(
                    RunCode.DORADO,
                    version=summary.version,
                    model=summary.model,
                    device=summary.device,
                ),
            ),
            started_at=self._started_at,
            finished_at=now(),
            counts={
                "files": len(summary.files),
                "signal_reads": sum(called.signal_reads for called in summary.files),
                "reads": sum(called.reads for called in summary.files),
                "bases": sum(called.bases for called in summary.files),
            },
            tools={"dorado": summary.version, "pod5": version("pod5")},
        )


def skipped_record(model: str | None) -> PhaseRecord:
    """The record of a run whose reads came basecalled. `model`: from the read headers."""
    unnamed = because(RunCode.BASECALLED_UNNAMED)
    why = because(RunCode.BASECALLED_BY_HEADERS, model=model) if model else unnamed
    at = now()
    return PhaseRecord(
        phase=Phase.BASECALLING,
        status="skipped",
        why=(why,),
        how=(because(RunCode.IMPORTED_READS),),
        started_at=at,
        finished_at=at,
    )


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
