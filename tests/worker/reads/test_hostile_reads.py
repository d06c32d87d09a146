"""No file of a stranger gets anything but a verdict, and check and reader give the same one."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest

from porewatch.domain.errors import InputRefused, NoReadsInside, ReaderCrashed
from porewatch.domain.runs import InputFile, ReadKind
from porewatch.reads.check import check_file, check_stream
from porewatch.reads.naming import kind_of
from porewatch_worker.science.reads import read_units
from tests.worker.reads.hostile import PLAIN, a_read, corpus, mutated, whole_bam

CORPUS = corpus()
LONGEST_S = 30
SEEDS: dict[str, Callable[[], bytes]] = {
    "a.fastq": lambda: PLAIN,
    "a.fastq.gz": lambda: gzip.compress(PLAIN, mtime=0),
    "a.bam": lambda: whole_bam(
        a_read(tags=b"RGZx\0chi\1\0\0\0stZ2026-03-01T00:00:00Z\0"), a_read()
    ),
    "a.pod5": lambda: signal(),  # noqa: PLW0108  (defined below)
}


def content_of(what: str) -> tuple[str, bytes]:
    name, content = CORPUS[what]
    return name, content if isinstance(content, bytes) else content()


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


def test_the_corpus_is_large_and_not_all_of_it_is_refused_for_one_reason() -> None:
    assert len(CORPUS) >= 200
    assert Counter(what.split(":")[0] for what in CORPUS).keys() == {"fastq", "gzip", "bam", "pod5"}


@pytest.mark.parametrize("what", CORPUS)
def test_every_hostile_file_has_one_verdict_that_was_foreseen(tmp_path: Path, what: str) -> None:
    name, content = content_of(what)
    path = tmp_path / name
    path.write_bytes(content)
    assert verdict(path) in ("sound", InputRefused.__name__, NoReadsInside.__name__)


@pytest.mark.parametrize("what", [*CORPUS][::12])
def test_a_stream_has_the_same_verdict_as_a_file(tmp_path: Path, what: str) -> None:
    name, content = content_of(what)
    path = tmp_path / name
    path.write_bytes(content)
    assert by_stream(path) == by_check(path)


@pytest.mark.parametrize("name", SEEDS)
def test_a_hundred_mutants_of_each_format_have_a_verdict(tmp_path: Path, name: str) -> None:
    tried(tmp_path / name, range(100))


@pytest.mark.slow
@pytest.mark.parametrize("start", range(1_000, 11_000, 2_500))
@pytest.mark.parametrize("name", SEEDS)
def test_thousands_of_mutants_of_each_format_have_a_verdict(
    tmp_path: Path, name: str, start: int
) -> None:
    tried(tmp_path / name, range(start, start + 2_500))


def tried(path: Path, seeds: range) -> None:
    sound, found = SEEDS[path.name](), Counter[str]()
    path.write_bytes(sound)
    assert verdict(path) == "sound"
    for seed in seeds:
        path.write_bytes(mutated(sound, seed))
        try:
            found[verdict(path)] += 1
        except BaseException as e:
            e.add_note(f"seed {seed} of {path.name}")
            raise
    foreseen = {"sound", InputRefused.__name__, NoReadsInside.__name__}
    if path.name.endswith(".pod5"):  # Arrow aborts at about one mutant in a thousand
        foreseen.add(ReaderCrashed.__name__)
    assert found.keys() <= foreseen, found
    assert found[InputRefused.__name__], "no mutant was refused"


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
