"""How often the loop saves, and what every beat has of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.index import Home
from porewatch_worker.checkpoint.interval import (
    LARGEST_SHARE,
    NOTICE_S,
    UPLOAD_S,
    SaveInterval,
    young_interval,
)
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.stage.loop import Ending
from porewatch_worker.stage.stop import Stop
from tests.worker.runtime_work import DigestWork
from tests.worker.test_runtime_loop import RecordedOutbox, a_loop, straight

MANY = 400


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    path = tmp_path / "many.txt"
    path.write_text("".join(f"line {n:06d}\n" for n in range(MANY * 4)))
    return path


class CountingStore(FolderStore):
    """A folder that counts writes, each of which takes `seconds`."""

    def __init__(self, folder: Path, seconds: float = 0.0) -> None:
        super().__init__(folder)
        self.seconds, self.created, self.replaced = seconds, 0, 0

    def create(self, name: str, content: bytes) -> str | None:
        self.created += 1
        time.sleep(self.seconds)
        return super().create(name, content)

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        self.replaced += 1
        time.sleep(self.seconds)
        return super().replace(name, content, tag)


def counting_loop(reads: Path, folder: Path, seconds: float = 0.005, **rest: object):  # type: ignore[no-untyped-def]
    work, store = DigestWork(reads), CountingStore(folder / "counted", seconds)
    loop = a_loop(work, folder, **rest)
    checkpoint = open_checkpoint(store, work.fingerprint(), 1)
    loop.checkpoint = loop._saver.checkpoint = checkpoint
    return loop, store


def test_the_interval_follows_young() -> None:
    assert young_interval(20, 36_000) == pytest.approx(1200)
    assert young_interval(20, 4 * 3600) / 60 == pytest.approx(12.65, abs=0.01)
    interval = SaveInterval()
    interval.flushed(0.1)
    assert interval.interval_s == pytest.approx(84.9, abs=0.1)


def test_interruptions_make_it_save_more_often() -> None:
    calm, troubled = SaveInterval(36_000), SaveInterval(36_000 / 4)
    for interval in (calm, troubled):
        interval.flushed(0.1)
    assert troubled.interval_s == pytest.approx(calm.interval_s / 2)


def an_interval(flush_s: float, unit_s: float, unit_bytes: int, rate: float) -> SaveInterval:
    interval = SaveInterval(flush_s=flush_s, rate=rate)
    interval.computed(unit_s, unit_bytes)
    return interval


@pytest.mark.parametrize(
    ("interval", "of_stage", "units"),
    [
        (an_interval(0.1, 1, 1000, 1e6), 10_000, 84),  # Young: 84.9 s of units of a second
        (an_interval(0.1, 600, 1000, 1e6), 10_000, 1),  # a unit outlasts the interval
        (an_interval(0.1, 1, 1000, 1e6), 1000, 20),  # 2 % of the stage
        (an_interval(0.1, 1, 1000, 1e6), 12, 1),
        (an_interval(0.1, 1, 1000, 1e6), None, 1),  # nobody knows how long the stage is
        (an_interval(0.1, 1, 10**7, 1e6), 10_000, 6),  # 60 s of upload
        (SaveInterval(), 10_000, 1),  # nothing measured yet
    ],
)
def test_a_save_holds_no_more_than_each_bound_allows(
    interval: SaveInterval, of_stage: float | None, units: int
) -> None:
    assert interval.units(of_stage) == units
    if units > 1:
        assert units <= LARGEST_SHARE * (of_stage or 0)
        assert units * interval.unit_bytes <= UPLOAD_S * (interval.rate or 0)


def test_the_unit_at_hand_gets_what_the_upload_leaves_of_the_notice() -> None:
    slow = an_interval(1, 10, 10**6, 1e5)
    assert slow.grace_s(60, waiting=0) == 60
    assert slow.grace_s(60, waiting=5 * 10**6) == pytest.approx(NOTICE_S - 60)
    assert slow.grace_s(60, waiting=10**8) == 0


def test_a_long_stage_of_short_units_is_saved_in_few_writes_and_ends_the_same(
    reads: Path, tmp_path: Path
) -> None:
    loop, store = counting_loop(reads, tmp_path)
    assert loop.run() is Ending.PUBLISHED
    assert (tmp_path / "out/digests.txt").read_bytes() == straight(reads, tmp_path / "whole")
    most = int(LARGEST_SHARE * MANY)
    assert MANY / most <= store.created < MANY / 4
    sizes = [json.loads(line)["size"] for line in _units(store.folder)]
    assert len(sizes) == MANY
    packs = [u.pack for u in loop.checkpoint.units.values()]
    assert max(packs.count(p) for p in set(packs) if p is not None) <= most


def _units(folder: Path) -> list[str]:
    listed = json.loads((folder / "checkpoint.json").read_text())["units"]
    return [json.dumps(unit) for unit in listed.values()]


def test_a_notice_saves_what_waits_at_once_and_the_successor_redoes_nothing(
    reads: Path, tmp_path: Path
) -> None:
    stop, outbox = Stop(), RecordedOutbox()
    loop, store = counting_loop(reads, tmp_path, outbox=outbox, stop=stop)
    process = loop.work.process

    def noticed(payload: tuple[int, bytes]) -> object:
        if payload[0] == 203:
            stop.request("notice")
        return process(payload)

    loop.work.process = noticed
    assert loop.run() is Ending.INTERRUPTED
    assert outbox.sent == [("interrupted", 203)]
    successor = open_checkpoint(FolderStore(store.folder), loop.work.fingerprint(), 2)
    assert set(successor.units) == set(range(1, 204))
    assert successor.tried == {}


def test_a_rebalance_hint_saves_what_waits(reads: Path, tmp_path: Path) -> None:
    stop = Stop()
    loop, store = counting_loop(reads, tmp_path, stop=stop)
    process, listed = loop.work.process, {}

    def hinted(payload: tuple[int, bytes]) -> object:
        if payload[0] == 203:
            stop.rebalance()
            time.sleep(0.6)  # the loop looks every 0.2 s
            listed.update(json.loads((store.folder / "checkpoint.json").read_text())["units"])
        return process(payload)

    loop.work.process = hinted
    assert loop.run() is Ending.PUBLISHED
    assert {int(n) for n in listed} == set(range(1, 203))


def test_every_beat_has_units_bytes_and_the_last_checkpoint(reads: Path, tmp_path: Path) -> None:
    outbox = RecordedOutbox()
    loop, _ = counting_loop(reads, tmp_path, outbox=outbox, beat_s=0.01)
    loop.run()
    size = reads.stat().st_size
    last = outbox.beats[-1]
    assert (last.units_done, last.bytes_done, last.bytes_total) == (MANY, size, size)
    assert last.flush_s > 0.005
    assert last.interval_s == pytest.approx(
        young_interval(loop.interval.flush_s or 0, 36_000), abs=0.1
    )
    done = [b.bytes_done for b in outbox.beats]
    assert done == sorted(done)
    for beat in outbox.beats:
        assert beat.checkpoint_at is not None
        assert beat.units_done - (beat.checkpoint or 0) <= LARGEST_SHARE * MANY


def test_a_damaged_object_takes_all_its_units_with_it_and_no_others(
    reads: Path, tmp_path: Path
) -> None:
    loop, store = counting_loop(reads, tmp_path)
    loop.run()
    homes: dict[Home, list[int]] = {}
    for number, unit in loop.checkpoint.units.items():
        homes.setdefault(unit.home(number), []).append(number)
    home = next(h for h, inside in homes.items() if len(inside) > 2)
    path = store.folder / f"units/{home[1]:06d}.bin"
    path.write_bytes(path.read_bytes()[:-1])
    again = open_checkpoint(FolderStore(store.folder), loop.work.fingerprint(), 2)
    assert set(loop.checkpoint.units) - set(again.units) == set(homes[home])
