"""A stage's inputs: their names and locations (`fetched_inputs` fetches them).

Names are manifest paths (`fastq/a.fastq.gz`) for what was uploaded and output names
(`screen.json`, `bam/a.bam`) for what an earlier stage published; a later stage's output hides an
earlier one's of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from porewatch.domain import s3_keys
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.work_order import WorkOrder


class Fetcher(Protocol):
    """A bucket that objects are fetched from."""

    def fetch(
        self, key: str, to: Path, on_progress: Callable[[int], None], version: str | None = None
    ) -> tuple[int, str]:
        """Write the object, or one version of it, to a file; size and sha256."""


@dataclass(frozen=True)
class Source:
    """Location and expected content of an input: for an upload, exactly the version that was
    checked. `sha256` and `version` are None when unknown."""

    bucket: Fetcher
    key: str
    size: int
    sha256: str | None
    version: str | None = None


def sources_of(
    order: WorkOrder, previous: Iterable[StageManifest], raw: Fetcher, results: Fetcher
) -> dict[str, Source]:
    """Every input of the order by name."""
    found = {
        f.path: Source(raw, s3_keys.raw_key(order.run_id, f.lies_at), f.size, f.sha256, f.version)
        for f in order.manifest.files
    }
    for manifest in previous:
        for name, output in manifest.outputs.items():
            found[name] = Source(results, output.key, output.size, output.sha256)
    return found


def reads_of(order: WorkOrder, previous: Iterable[StageManifest]) -> tuple[InputFile, ...]:
    """The read files to screen: uploaded ones, and what the basecalling stage made of signal."""
    uploaded = [f for f in order.manifest.files if f.kind is not ReadKind.POD5]
    barcodes = {basecalled_name(f.path): f.barcode for f in order.manifest.files}
    called = [
        InputFile(
            path=name,
            kind=ReadKind.BAM,
            size=output.size,
            sha256=output.sha256,
            barcode=barcodes.get(name),
        )
        for manifest in previous
        for name, output in sorted(manifest.outputs.items())
        if name in barcodes
    ]
    return (*uploaded, *called)


def basecalled_name(path: str) -> str:
    """`pod5/barcode01/a.pod5` -> `bam/barcode01/a.bam`: what basecalling publishes a file as."""
    kind, _, rest = path.partition("/")
    return f"bam/{rest.removesuffix('.pod5')}.bam" if kind == ReadKind.POD5 else path
