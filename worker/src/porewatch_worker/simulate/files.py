"""The FASTQ files of a simulated run, as a sequencer lays them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from isal import igzip

from porewatch_worker.simulate.plan import RunPlan


@dataclass
class RunFiles:
    """What was written: files relative to `folder` with their read counts, and the truth."""

    folder: Path
    truth: Path
    files: dict[str, int] = field(default_factory=dict)
    bases: int = 0

    @property
    def reads(self) -> int:
        return sum(self.files.values())


class FastqFiles:
    """One series of .fastq.gz a barcode, a new file after `reads_per_file` reads."""

    def __init__(self, plan: RunPlan, written: RunFiles) -> None:
        self._plan = plan
        self._written = written
        self._open: dict[str, _OpenFile] = {}
        self._next: dict[str, int] = {}

    def __enter__(self) -> FastqFiles:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._open.values():
            file.close()

    def write(self, barcode: str, header: bytes, sequence: bytes, quality: bytes) -> str:
        """Append one read; returns the file's path below the folder."""
        file = self._open.get(barcode)
        if file is None or self._written.files[file.name] >= self._plan.reads_per_file:
            file = self._start(barcode)
        file.out.write(b"@%b\n%b\n+\n%b\n" % (header, sequence, quality))
        self._written.files[file.name] += 1
        self._written.bases += len(sequence)
        return file.name

    def _start(self, barcode: str) -> _OpenFile:
        if barcode in self._open:
            self._open.pop(barcode).close()
        number = self._next.get(barcode, 0)
        self._next[barcode] = number + 1
        identity = self._plan.identity
        name = (
            f"fastq_pass/{barcode}/{identity.flow_cell}_pass_{barcode}_"
            f"{identity.run_id[:8]}_{number}.fastq.gz"
        )
        self._written.files[name] = 0
        self._open[barcode] = _OpenFile(name, self._written.folder / name)
        return self._open[barcode]


class _OpenFile:
    """A gzip file without name and time in its header, so that equal reads give equal bytes."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._raw: IO[bytes] = path.open("wb")
        self.out: Any = igzip.IGzipFile(  # type: ignore[no-untyped-call]
            filename="", mode="wb", compresslevel=2, fileobj=self._raw, mtime=0
        )

    def close(self) -> None:
        self.out.close()
        self._raw.close()
