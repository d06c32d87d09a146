"""What the check, a stream's check and the screen's reader answer to a file of a stranger."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from uuid import UUID

from porewatch.domain.errors import InputRefused, NoReadsInside
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.check import check_file, check_stream
from porewatch.reads.naming import kind_of
from porewatch_worker.science.reads import read_units

LONGEST_S = 30


def by_check(path: Path) -> str:
    """`sound`, or the class of the refusal."""
    try:
        check_file(path)
    except InputRefused as e:
        assert e.file == str(path)
        assert e.remedy
        assert len(str(e)) < 2_000
        str(e).encode()
        return type(e).__name__
    return "sound"


def by_stream(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            check_stream(stream, kind=kind_of(path.name), name=path.name)
    except InputRefused as e:
        return type(e).__name__
    return "sound"


def by_reader(path: Path) -> str:
    kind = kind_of(path.name)
    file = InputFile(path=f"{kind}/{path.name}", kind=kind, size=max(1, path.stat().st_size))
    reads = 0
    try:
        for _, unit in read_units((file,), lambda _: path, 100, frozenset()):
            reads += unit.number_of_reads
    except InputRefused as e:
        return type(e).__name__
    return "sound" if reads else NoReadsInside.__name__


def verdict(path: Path) -> str:
    """The one verdict of check and reader."""
    began = time.process_time()
    found = by_check(path)
    if kind_of(path.name) is not ReadKind.POD5:
        assert by_reader(path) == found
    assert time.process_time() - began < LONGEST_S
    return found


@cache
def signal() -> bytes:
    """A POD5 of two short reads."""
    import datetime
    import tempfile

    import numpy as np
    import pod5

    moment = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
    run = pod5.RunInfo(
        acquisition_id="a", acquisition_start_time=moment, adc_max=2047, adc_min=-2048,
        context_tags={}, experiment_name="e", flow_cell_id="FAB1", flow_cell_product_code="F",
        protocol_name="p", protocol_run_id="r", protocol_start_time=moment, sample_id="s",
        sample_rate=4000, sequencing_kit="k", sequencer_position="X", sequencer_position_type="m",
        software="s", system_name="s", system_type="s", tracking_id={},
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pod5"
        with pod5.Writer(path) as writer:
            for number in (1, 2):
                writer.add_read(
                    pod5.Read(
                        read_id=UUID(int=number),
                        pore=pod5.Pore(1, number, "r10"),
                        calibration=pod5.Calibration(0.0, 1.0),
                        read_number=number,
                        start_sample=0,
                        median_before=0.0,
                        end_reason=pod5.EndReason(pod5.EndReasonEnum.SIGNAL_POSITIVE, False),
                        run_info=run,
                        signal=np.arange(100, dtype=np.int16),
                    )
                )
        return path.read_bytes()
