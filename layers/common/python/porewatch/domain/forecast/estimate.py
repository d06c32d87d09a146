"""How long a stage will take, before it is launched: input over measured rates, plus the start.

    likely = start + fixed + bases / (rate x vCPUs x share of a core that a vCPU is)
    high   = the 90th percentile: slow start, and P90 times the work; what a reservation is made of

Rates are Porewatch's own on real machines' cores (research of 2026-11: 118 Mb screened, CPU seconds
split by phase), except those that say so. Order: input, rates, `span_of`, `reservation_usd`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, NamedTuple

from pydantic import Field

from porewatch.domain.base import Model
from porewatch.domain.records.file_record import FileRecord
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.domain.stage.instances import (
    LaunchSpec,
    Purchase,
)
from porewatch.domain.stage.spec import Phase, StageSpec

BASES_PER_BYTE = {ReadKind.FASTQ: 1.0, ReadKind.BAM: 1.0, ReadKind.POD5: 0.13}
"""Of files whose reads were not counted. Gzipped FASTQ: 0.95 to 1.11 bytes a base on three public
read sets; plain FASTQ needs twice that, so it is taken for longer than it is. POD5: 4 kHz, 450
bases a second, about 0.9 bytes a sample (stated, not measured)."""
FETCH_BYTES_PER_SECOND = 60e6
"""From S3 to a small machine's disk; stated, below what AWS promises."""
CORE_SHARE = 0.6
"""What one of two hyperthreads does of a core's work; stated, on the safe side."""
P90, P10 = 1.6, 0.7
"""Work at the 90th and 10th percentile, in multiples of the likely one; stated."""
START_SECONDS = (45.0, 90.0, 240.0)
"""From launch to the worker's claim: quick, likely, slow."""


class Rate(NamedTuple):
    """`bases_per_second` of one core (of the whole machine when `per_machine`; 0: the size of the
    input does not matter), after `fixed_seconds`."""

    bases_per_second: float
    fixed_seconds: float
    per_machine: bool = False


RATES = {
    # dorado, hac model on the smallest GPU listed; general knowledge, not measured here.
    Phase.BASECALLING: Rate(0.5e6, 60, per_machine=True),
    Phase.QUALITY_CONTROL: Rate(118e6, 10),
    # 11 Mb/s on a host of 100 Mb; a repeat-rich one of 2.5 Gb is budgeted at 2.5 times the work.
    # Loading its index: 9.2 GB.
    Phase.HOST_REMOVAL: Rate(4.4e6, 120),
    Phase.PATHOGEN_DETECTION: Rate(11.8e6, 20),
    Phase.QUANTIFICATION: Rate(0, 15),
    Phase.REPORTING: Rate(0, 30),
}


class InputSize(Model):
    """How much a run is. `bases` are counted where the validator has been, else reckoned."""

    files: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    bases: Annotated[int, Field(ge=0)]


class Span(NamedTuple):
    """Seconds of a machine, start included: 10th percentile, likely, 90th percentile."""

    low: float
    likely: float
    high: float


def size_of(files: Iterable[InputFile], known: Mapping[str, FileRecord]) -> InputSize:
    """The size of these files; `known`: what the validator found, by path."""
    listed = list(files)
    bases = sum(_bases(file, known.get(file.lies_at)) for file in listed)
    return InputSize(files=len(listed), bytes=sum(f.size for f in listed), bases=round(bases))


def _bases(file: InputFile, record: FileRecord | None) -> float:
    counted = record.bases if record is not None else 0
    return counted or file.size * BASES_PER_BYTE[file.kind]


def vcpus_of(instance_type: str) -> int:
    """`m5.2xlarge` -> 8. AWS's naming: large has 2, xlarge 4, n x large n times that.

    >>> vcpus_of('m6i.2xlarge')
    8
    """
    size = instance_type.rpartition(".")[2]
    many = re.fullmatch(r"(\d*)xlarge", size)
    return 4 * int(many[1] or 1) if many else 2


def span_of(spec: StageSpec, size: InputSize) -> Span:
    """How long one uninterrupted machine of this stage lives, at most until its deadline. The
    smallest type of the stage sets the pace."""
    cores = CORE_SHARE * min(vcpus_of(name) for name in spec.instance_types)
    work = size.bytes / FETCH_BYTES_PER_SECOND
    for phase in spec.phases:
        rate = RATES[phase]
        speed = rate.bases_per_second * (1 if rate.per_machine else cores)
        work += rate.fixed_seconds + (size.bases / speed if speed else 0)
    quick, likely, slow = START_SECONDS
    most = float(spec.phase_deadline_s)
    return Span(*(min(most, s) for s in (quick + P10 * work, likely + work, slow + P90 * work)))


Priced = Callable[[str, Purchase, float, int], float]
"""USD of (type, purchase, seconds, GiB of disk); `Executors.price` is one."""


def reservation_usd(ladder: Sequence[LaunchSpec], seconds: float, price: Priced) -> float:
    """What one launch may cost: the dearest machine of any rung, for so long. One reservation
    covers all rungs, so that climbing the ladder never passes a cap."""
    return max(
        (
            price(name, spec.purchase, seconds, spec.disk_gib)
            for spec in ladder
            for name in spec.instance_types
        ),
        default=0.0,
    )
