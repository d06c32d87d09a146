"""Inputs fetched before they are needed: within bounds, without harm, stopped on request."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from porewatch.domain.errors import InputRefused, NotFound, Unavailable
from porewatch_worker.stage import fetched_inputs
from porewatch_worker.stage.fetched_inputs import (
    AT_ONCE,
    KEPT_FILES,
    PREFETCH_FILES,
    FetchedInputs,
)
from porewatch_worker.stage_inputs import Source

PIECES = 4


def content(key: str) -> bytes:
    return key.encode() * 100


class SlowBucket:
    """Objects whose content is their key; each piece of a download waits for the `gate`.

    `begun` lists downloads in the order in which they began; `most` is how many ran at once."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.running = self.most = 0
        self.gate = threading.Event()
        self.gate.set()
        self.broken: Counter[str] = Counter()
        self.pause_s = 0.0
        self._lock = threading.Lock()

    def fetch(
        self, key: str, to: Path, advance: Callable[[int], None], version: str | None = None
    ) -> tuple[int, str]:
        with self._lock:
            self.begun.append(key)
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            return self._fetch(key, to, advance)
        finally:
            with self._lock:
                self.running -= 1

    def _fetch(self, key: str, to: Path, advance: Callable[[int], None]) -> tuple[int, str]:
        if self.broken[key]:
            self.broken[key] -= 1
            raise Unavailable(f"{key} cannot be had now.")
        if key.endswith("gone"):
            raise NotFound("no such object.")
        time.sleep(self.pause_s)
        for piece in range(PIECES):
            advance(piece)
            while not self.gate.wait(0.01):
                advance(piece)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(content(key))
        return len(content(key)), hashlib.sha256(content(key)).hexdigest()


NAMES = [f"fastq/{n:02d}.fastq" for n in range(80)]


class House(NamedTuple):
    bucket: SlowBucket
    inputs: FetchedInputs
    folder: Path

    def on_disk(self) -> int:
        return len(list(self.folder.rglob("*.fastq")))

    def settled(self) -> list[str]:
        """What was begun once nothing more happens."""
        before = -1
        while before != len(self.bucket.begun) or (
            self.bucket.gate.is_set() and self.bucket.running
        ):
            before = len(self.bucket.begun)
            time.sleep(0.15)
        return list(self.bucket.begun)


def sources(bucket: SlowBucket, names: list[str] = NAMES) -> dict[str, Source]:
    return {name: Source(bucket, name, len(content(name)), None) for name in names}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    bucket = SlowBucket()
    made = House(bucket, FetchedInputs(sources(bucket), tmp_path), tmp_path)
    yield made
    bucket.gate.set()
    made.inputs.close()


def free_bytes(monkeypatch: pytest.MonkeyPatch, folder: Path, free: int) -> None:
    """A disk that has `free` bytes when nothing lies in `folder`, and keeps none in reserve."""
    usage = shutil.disk_usage(folder)

    def left(_: object) -> Any:
        there = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
        return usage._replace(free=free - there)

    monkeypatch.setattr(fetched_inputs, "SPARE_BYTES", 0)
    monkeypatch.setattr(fetched_inputs.shutil, "disk_usage", left)


def test_what_comes_next_is_there_when_it_is_needed(house: House) -> None:
    house.bucket.pause_s = 0.02
    house.inputs.expect(NAMES)
    began = time.monotonic()
    found = [house.inputs.path(name).read_bytes() for name in NAMES]
    took = time.monotonic() - began
    assert found == [content(name) for name in NAMES]
    assert 2 < house.bucket.most <= AT_ONCE + 1, "the threads, and the caller"
    assert took < 0.7 * len(NAMES) * 0.02, "as long as one after the other"
    assert Counter(house.bucket.begun) == Counter(NAMES), "each is fetched once"
    assert house.on_disk() == KEPT_FILES


def test_so_many_files_are_fetched_ahead_and_no_more(house: House) -> None:
    house.inputs.expect(NAMES)
    assert sorted(house.settled()) == NAMES[:PREFETCH_FILES]
    house.inputs.path(NAMES[0])
    assert sorted(house.settled()) == NAMES[: PREFETCH_FILES + 1]


def test_so_many_bytes_are_fetched_ahead_and_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(content(NAMES[0]))
    monkeypatch.setattr(fetched_inputs, "PREFETCH_BYTES", 3 * size)
    house.inputs.expect(NAMES)
    assert sorted(house.settled()) == NAMES[:3]
    monkeypatch.setattr(fetched_inputs, "PREFETCH_BYTES", 1)
    for number in range(3):
        house.inputs.path(NAMES[number])
    assert sorted(house.settled()) == NAMES[:4], "one file is fetched ahead whatever its size"


def test_a_short_disk_holds_what_is_needed_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(content(NAMES[0]))
    free_bytes(monkeypatch, house.folder, 3 * size + 1)
    house.inputs.expect(NAMES)
    assert len(house.settled()) == 3, "three fit"
    for name in (NAMES[70], *NAMES):  # the first is far away: what came ahead makes room for it
        assert house.inputs.path(name).read_bytes() == content(name)
        assert house.on_disk() <= 3
    free_bytes(monkeypatch, house.folder, size - 1)
    house.settled()
    with pytest.raises(Unavailable, match="larger disk"):
        house.inputs.path(NAMES[7])


def test_a_fetch_ahead_that_failed_is_repeated_when_it_is_needed(house: House) -> None:
    house.bucket.broken = Counter({NAMES[1]: 1, NAMES[2]: 9})
    house.inputs.expect(NAMES)
    house.settled()
    assert house.inputs.path(NAMES[0]).exists()
    assert house.inputs.path(NAMES[1]).read_bytes() == content(NAMES[1])
    with pytest.raises(Unavailable, match=r"02\.fastq cannot be had"):
        house.inputs.path(NAMES[2])
    assert house.inputs.path(NAMES[3]).exists(), "its neighbours are none the worse for it"


def test_a_wrong_or_missing_file_is_refused_when_it_is_needed_and_not_before(
    tmp_path: Path,
) -> None:
    bucket = SlowBucket()
    there = sources(bucket, NAMES[:4])
    there[NAMES[1]] = Source(bucket, "gone", 7, None)
    there[NAMES[2]] = Source(bucket, NAMES[2], len(content(NAMES[2])), "0" * 64)
    inputs = FetchedInputs(there, tmp_path)
    inputs.expect(NAMES[:4])
    assert inputs.path(NAMES[0]).exists()
    with pytest.raises(InputRefused, match="not in the bucket"):
        inputs.path(NAMES[1])
    with pytest.raises(InputRefused, match="the manifest says 0000"):
        inputs.path(NAMES[2])
    assert inputs.path(NAMES[3]).exists()
    assert not (tmp_path / NAMES[2]).exists()
    inputs.close()


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "prefetch"]


def test_closing_ends_the_threads_in_the_middle_of_their_downloads(house: House) -> None:
    house.bucket.gate.clear()
    house.inputs.expect(NAMES)
    house.settled()
    assert len(threads()) == house.bucket.running == AT_ONCE
    house.inputs.close()
    assert threads() == []
    assert (house.bucket.running, len(house.bucket.begun)) == (0, AT_ONCE)


def test_the_threads_end_when_everything_was_fetched(house: House) -> None:
    house.inputs.expect(NAMES[:5])
    for name in NAMES[:5]:
        house.inputs.path(name)
    house.settled()
    assert threads() == []


def test_a_stop_leaves_the_line_to_what_must_be_saved(tmp_path: Path) -> None:
    bucket, stop = SlowBucket(), threading.Event()
    inputs = FetchedInputs(sources(bucket), tmp_path, stopped=stop.is_set)
    bucket.gate.clear()
    inputs.expect(NAMES)
    while bucket.running < AT_ONCE:
        time.sleep(0.01)
    stop.set()
    deadline = time.monotonic() + 5
    while bucket.running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (bucket.running, len(bucket.begun)) == (0, AT_ONCE)
    bucket.gate.set()
    assert inputs.path(NAMES[0]).read_bytes() == content(NAMES[0]), "the unit at hand may need it"
    inputs.close()


def test_a_person_sees_what_is_waited_for(house: House) -> None:
    house.bucket.gate.clear()
    house.inputs.expect(NAMES)
    house.settled()
    assert house.inputs.fetching == ""
    reader = threading.Thread(target=house.inputs.path, args=[NAMES[0]])
    reader.start()
    while not house.inputs.fetching:
        time.sleep(0.01)
    assert house.inputs.fetching.startswith(f"fetching {NAMES[0]}: ")
    house.bucket.gate.set()
    reader.join()
    assert house.inputs.fetching == ""
