"""What a file does to its reader is a verdict on the file, and on nothing else."""

from __future__ import annotations

import ctypes
import io
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from porewatch.domain.errors import InputRefused, NotJudged, ReaderCrashed, Unavailable
from porewatch.domain.runs import ReadKind
from porewatch.reads.check import check_file, check_stream
from porewatch.reads.raw import RawBytes
from porewatch.reads.sandbox import (
    child as box_child,
)
from porewatch.reads.sandbox import (
    parent,
)
from porewatch.reads.sandbox.run import (
    of_file,
    of_stream,
)

JOB = f"{__name__}:job"
KIND = {"kind": "fastq", "name": "a.fastq"}


def _loop() -> None:
    while True:
        pass


def _fail(error: Exception) -> None:
    raise error


left_behind: list[str] = []
DEEDS: dict[str, Callable[[], object]] = {
    "crash": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "loop": _loop,
    "memory": lambda: bytes(4 << 30),
    "raise": lambda: _fail(KeyError("field")),
    "refuse": lambda: _fail(InputRefused("No.", file="a", record=3, line=9, remedy="r")),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "leave": lambda: os._exit(3),
    "poison": lambda: left_behind.append("poison"),
    "suffer": lambda: os.abort() if left_behind else None,
    "much": lambda: [bytes([number]) * 1_000_000 for number in range(64)],
}


def job(_request: dict[str, Any], raw: RawBytes) -> Iterator[bytes]:
    """What a file with one of these texts does to its reader."""
    yield str(os.getpid()).encode()
    more = DEEDS.get(raw.read(100).decode(), int)()
    yield from more if isinstance(more, list) else ()


VERDICTS: dict[str, tuple[type[Exception], str]] = {
    "crash": (ReaderCrashed, "crash: SIGSEGV"),
    "abort": (ReaderCrashed, "crash: SIGABRT"),
    "leave": (ReaderCrashed, "crash: exit 3"),
    "memory": (ReaderCrashed, "more than 1,024 MB"),
    "loop": (NotJudged, "work for"),
    "raise": (NotJudged, "KeyError"),
    "refuse": (InputRefused, "a record 3 line 9: No. Remedy: r"),
    "kill": (Unavailable, "killed from outside"),
}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(box_child, "CPU_S", 0.5)
    parent.idle.close()
    yield
    parent.idle.close()


def file_of(folder: Path, behaviour: str) -> Path:
    path = folder / behaviour
    path.write_text(behaviour)
    return path


@pytest.mark.parametrize("behaviour", VERDICTS)
def test_a_reader_that_dies_or_hangs_is_a_verdict(tmp_path: Path, behaviour: str) -> None:
    error, expected = VERDICTS[behaviour]
    with pytest.raises(error, match=expected):
        of_stream(io.BytesIO(behaviour.encode()), JOB, KIND)
    with pytest.raises(error, match=expected):
        list(of_file(file_of(tmp_path, behaviour), JOB, KIND))
    assert [bytes(b) for b in of_file(file_of(tmp_path, "fine"), JOB, KIND)]


def test_one_child_serves_many_files(tmp_path: Path) -> None:
    path = file_of(tmp_path, "fine")
    served = {bytes(next(of_file(path, JOB, KIND))) for _ in range(3)}
    assert len(served) == 3, "an answer that nobody read to its end ends its child"
    served = {b"".join(of_file(path, JOB, KIND)) for _ in range(50)}
    assert len(served) == 1
    assert served != {str(os.getpid()).encode()}


def test_a_file_does_not_pay_for_what_an_earlier_one_left_behind(tmp_path: Path) -> None:
    list(of_file(file_of(tmp_path, "poison"), JOB, KIND))
    assert list(of_file(file_of(tmp_path, "suffer"), JOB, KIND))


def test_a_long_answer_arrives_whole(tmp_path: Path) -> None:
    _, *frames = of_file(file_of(tmp_path, "much"), JOB, KIND)
    assert [bytes(f[:1]) for f in frames] == [bytes([n]) for n in range(64)]
    assert {len(f) for f in frames} == {1_000_000}


def test_a_stream_that_breaks_is_the_worlds_fault_and_its_child_goes() -> None:
    class Broken:
        def read(self, _size: int) -> bytes:
            raise Unavailable("the network broke.")

    before = children()
    with pytest.raises(Unavailable, match="network"):
        check_stream(Broken(), kind=ReadKind.FASTQ, name="a.fastq")
    assert children() == before


def test_threads_have_a_child_each_and_nothing_is_left_open(tmp_path: Path) -> None:
    paths = [file_of(tmp_path, behaviour) for behaviour in ("fine", "abort", "raise", "much")] * 6
    parent.idle.close()
    before, others = open_files(), set(children())

    def verdict(path: Path) -> str:
        try:
            return str(len(list(of_file(path, JOB, KIND))))
        except InputRefused as e:
            return type(e).__name__

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(verdict, paths))
    assert found == ["1", "ReaderCrashed", "NotJudged", "65"] * 6
    parent.idle.close()
    assert open_files() <= before
    assert set(children()) <= others


def test_a_child_holds_nothing_of_its_parent(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    list(of_file(file_of(tmp_path, "fine"), JOB, KIND))  # a child is there
    os.close(writing)
    os.set_blocking(reading, False)
    assert os.read(reading, 1) == b"", "somebody else holds the pipe open"
    os.close(reading)


def test_the_check_reads_in_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    monkeypatch.setattr("porewatch.reads.check.scan_fastq", never)
    path = tmp_path / "a.fastq"
    path.write_bytes(b"@r\nA\n+\nI\n")
    with pytest.raises(ReaderCrashed, match="SIGSEGV"):
        check_file(path)
    with path.open("rb") as stream, pytest.raises(ReaderCrashed, match="SIGSEGV"):
        check_stream(stream, kind=ReadKind.FASTQ, name="a.fastq", size=9)


def open_files() -> set[str]:
    """What this process has open, by the name that the kernel gives it (pipe:[1234]).

    Not a count: a file of another test may be closed meanwhile, when its object is collected.
    """
    names = set()
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, closed after it was listed
            names.add(str(number.readlink()))
    return names


def children() -> list[str]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text().split()]
