"""From an order to the work it asks for: which phases make up the stage, and what they are given.

basecalling                                          one unit per POD5 file
quality_control, host_removal, pathogen_detection    one pass over the reads
quantification, reporting                            one after the other, from screen.json
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from porewatch.domain.errors import ConfigurationRefused
from porewatch.domain.phases import Phase, StageManifest, WorkOrder
from porewatch.domain.runs import ReadKind
from porewatch_worker.phases.basecalling import BasecallingWork
from porewatch_worker.settings import BasecallerSettings
from porewatch_worker.work import Inputs, StageWork


@dataclass(frozen=True)
class Means:
    """What a machine offers to the work. `stopped` tells long computations to give up."""

    inputs: Inputs
    previous: tuple[StageManifest, ...]
    references_root: Path
    scratch: Path
    basecaller: BasecallerSettings
    stopped: Callable[[], bool] = lambda: False


Build = Callable[[WorkOrder, Means], StageWork]


def build(order: WorkOrder, means: Means) -> StageWork:
    """The work of the order's stage. Raises what its phases raise when they cannot begin."""
    phases = set(order.phases)
    if phases == {Phase.BASECALLING}:
        return _basecalling(order, means)
    raise ConfigurationRefused(
        f"no work is known for a stage of {', '.join(order.phases)}.",
        remedy="use the default profile, or group only consecutive phases.",
    )


def _basecalling(order: WorkOrder, means: Means) -> BasecallingWork:
    files = tuple(f for f in order.manifest.files if f.kind is ReadKind.POD5)
    return BasecallingWork(
        files,
        means.inputs,
        means.basecaller,
        means.scratch / "basecalling",
        by_barcode=any(sample.barcode for sample in order.manifest.samples),
        kit=order.manifest.sequencing.kit,
        stopped=means.stopped,
    )
