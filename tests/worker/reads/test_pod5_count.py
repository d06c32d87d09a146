"""Reads of a POD5 by its footers alone: the same number as the library, or no number; never 0."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pod5
import pytest

from porewatch.domain.errors import InputRefused
from porewatch.domain.runs import ReadKind
from porewatch.reads.check import check_stream
from porewatch.reads.pod5_count import count_reads
from validation.shared_data import real

RUN = pod5.RunInfo(
    acquisition_id="a", acquisition_start_time=datetime(2026, 3, 1, tzinfo=UTC), adc_max=1,
    adc_min=0, context_tags={}, experiment_name="", flow_cell_id="F", flow_cell_product_code="",
    protocol_name="", protocol_run_id="", protocol_start_time=datetime(2026, 3, 1, tzinfo=UTC),
    sample_id="", sample_rate=4000, sequencing_kit="", sequencer_position="X",
    sequencer_position_type="", software="", system_name="", system_type="", tracking_id={},
)  # fmt: skip


def write(path: Path, reads: int) -> bytes:
    with pod5.Writer(path) as writer:
        for number in range(reads):
            writer.add_read(
                pod5.Read(
                    read_id=UUID(int=number), pore=pod5.Pore(1, 1, "p"),
                    calibration=pod5.Calibration(0.0, 1.0), median_before=0.0,
                    end_reason=pod5.EndReason(pod5.EndReasonEnum.SIGNAL_POSITIVE, forced=False),
                    read_number=number, start_sample=0, run_info=RUN,
                    signal=np.zeros(8, dtype=np.int16),
                )
            )  # fmt: skip
    return path.read_bytes()


def checked(content: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bool]:
    """As a function sees it, which has no library."""
    monkeypatch.setitem(sys.modules, "pod5", None)
    summary = check_stream(
        io.BytesIO(content),
        kind=ReadKind.POD5,
        name="x.pod5",
        part=lambda offset, length: content[offset : offset + length],
    )
    return summary.reads, summary.counted


def test_a_real_pod5_is_counted_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    content = real("signal/multi_fast5_zip.pod5").read_bytes()
    assert checked(content, monkeypatch) == (10, True)


@pytest.mark.parametrize("reads", [1, 2_500])
def test_all_batches_of_a_table_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reads: int
) -> None:
    assert checked(write(tmp_path / "a.pod5", reads), monkeypatch) == (reads, True)


def test_a_pod5_without_reads_is_refused_as_the_library_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = write(tmp_path / "a.pod5", 0)
    with pytest.raises(InputRefused, match="holds no reads"):
        checked(content, monkeypatch)


def test_footers_that_say_nothing_give_no_number() -> None:
    """Every byte of both footers spoilt in turn: a number, or none, never an error or a hang."""
    whole = real("signal/multi_fast5_zip.pod5").read_bytes()
    answers = set()
    for place in range(len(whole) - 3_000, len(whole) - 8, 7):
        spoilt = bytearray(whole)
        spoilt[place] ^= 0xFF
        answers.add(count_reads(lambda o, n, b=spoilt: bytes(b[o : o + n]), len(whole)))
    assert None in answers and 10 in answers
    assert count_reads(lambda *_: b"", 100) is None
