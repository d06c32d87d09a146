"""Early screening with one alert part: fetched once, loaded once, shared by all files that a
process screens."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.early.evidence import EarlyFile
from porewatch.domain.errors import Unavailable
from porewatch.domain.runs import InputFile, Sample
from porewatch.domain.stage.screening_parameters import ScreeningParameters
from porewatch.usecases.early.screen_file import Counted
from porewatch_worker.early.file_counts import counts_of_file
from porewatch_worker.early.verdict_so_far import so_far, suspected
from porewatch_worker.references.load import LoadedBundle, load
from porewatch_worker.references.locate import Fetching, placed
from porewatch_worker.science.count.units import unit_from_bytes

if TYPE_CHECKING:
    from porewatch.adapters.objects import Objects

PIECE = 1 << 20


class BundleScreener:
    """`raw`: the bucket that files lie in; `bundles`: that of the alert part; `folder`: of this
    machine, for both."""

    def __init__(
        self, ref: str, sha256: str, *, raw: Objects, bundles: Objects, folder: Path
    ) -> None:
        self._raw, self._folder = raw, folder
        cache = folder / "bundles"
        root = placed(ref, sha256, root=cache, cache=cache, bucket=bundles, progress=Fetching())
        self._bundle: LoadedBundle = load(root, ref)
        self._parameters = ScreeningParameters(threads=os.cpu_count() or 1)
        self.least_reads = self._parameters.detected_min_reads
        self.sha256 = sha256

    def count(self, file: InputFile, key: str, samples: Sequence[Sample]) -> Counted:
        """The reads of an object. Raises InputRefused naming file and record; Unavailable when
        fewer bytes arrive than were checked."""
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            lies_at = Path(scratch) / Path(file.path).name
            self._fetch(key, file, lies_at)
            content = counts_of_file(
                file, lies_at, samples=samples, bundle=self._bundle, parameters=self._parameters
            )
        counts = unit_from_bytes(content)
        reads = sum(one.total for one in counts.samples.values())
        bases = sum(one.passed_bases for one in counts.samples.values())
        verdict = so_far((file,), samples=samples, bundle=self._bundle, parameters=self._parameters)
        verdict.take_counts(counts)
        return Counted(content, reads, bases, verdict.severe_reads())

    def suspected(
        self, counts: Iterable[bytes], files: Sequence[EarlyFile], samples: Sequence[Sample]
    ) -> tuple[Alarm, ...]:
        """See `verdict_so_far.suspected`."""
        return suspected(
            counts,
            [one.file for one in files],
            samples=samples,
            bundle=self._bundle,
            parameters=self._parameters,
        )

    def _fetch(self, key: str, file: InputFile, to: Path) -> None:
        there = 0
        body = self._raw.stream(key, file.version)
        with to.open("wb") as out:
            while piece := body.read(PIECE):
                out.write(piece)
                there += len(piece)
        if there != file.size:
            raise Unavailable(f"{there} of {file.size} bytes arrived.", file=file.path)
