"""Poison units: pinned down, tried three times, given up by name; healthy ones are not."""

from __future__ import annotations

import errno
import faulthandler
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from porewatch.domain.errors import StaleEpoch, Unavailable, WorkerFailed
from porewatch.domain.reasons.reason import Code, because
from porewatch.domain.stage.manifest import StageManifest
from porewatch.domain.stage.quarantine import QuarantineRules
from porewatch_worker import full_disk
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.objects import UnitToSave
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.stage.child_process import in_child
from porewatch_worker.stage.loop import (
    Ending,
    StageLoop,
)
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_work import UnitOutput
from tests.worker.runtime_work import DigestWork
from tests.worker.test_runtime_loop import UNITS, RecordedOutbox, a_loop, owner, reads, straight

__all__ = ["reads"]
BAD_STRETCH = because(Code.UNIT_RAISED, text="ZeroDivisionError: a bad stretch")


class Raising(DigestWork):
    """Raises on some units, every time."""

    def __init__(self, reads: Path, *bad: int, error: Exception | None = None) -> None:
        super().__init__(reads)
        self.bad, self.error = bad, error or ZeroDivisionError("a bad stretch")

    def process(self, payload: tuple[int, bytes]) -> UnitOutput:
        if payload[0] in self.bad:
            raise self.error
        return super().process(payload)


def attempts(reads: Path, folder: Path, *bad: int, most: int = 9) -> tuple[int, StageLoop]:
    """Attempts one after another, as the control plane makes them, until one publishes."""
    for epoch in range(1, most):
        loop = a_loop(Raising(reads, *bad), folder, epoch=epoch)
        try:
            assert loop.run() is Ending.PUBLISHED
        except ZeroDivisionError:
            continue
        return epoch, loop
    raise AssertionError("it never ended")


def test_a_unit_that_raises_is_reported_twice_and_given_up_at_the_third_time(
    reads: Path, tmp_path: Path
) -> None:
    made, loop = attempts(reads, tmp_path, 5)
    assert made == 3, "the control plane allows two retries"
    (lost,) = loop.checkpoint.quarantined
    assert (lost.unit, lost.tries, lost.reads, lost.samples) == (5, 3, 1, ("s1",))
    assert lost.what == "lines of unit 5"
    assert lost.reason == "ZeroDivisionError: a bad stretch"
    there = (tmp_path / "out/digests.txt").read_bytes().split(b"\n")
    whole = straight(reads, tmp_path / "whole").split(b"\n")
    assert there.pop(4) == b"lost"
    whole.pop(4)
    assert there == whole
    progress = loop.progress()
    assert (progress.quarantined, progress.units_done, progress.reads) == ((5,), UNITS, UNITS - 1)


def test_the_manifest_names_what_was_given_up(reads: Path, tmp_path: Path) -> None:
    _, loop = attempts(reads, tmp_path, 5)
    manifest = StageManifest.model_validate_json((tmp_path / "notes/manifest.json").read_bytes())
    assert manifest.quarantined == loop.checkpoint.quarantined
    assert [unit.unit for unit in manifest.quarantined] == [5]


def test_further_bad_units_need_no_further_machine(reads: Path, tmp_path: Path) -> None:
    rules = QuarantineRules(most_share=0.2)
    for epoch in (1, 2):
        with pytest.raises(ZeroDivisionError):
            a_loop(Raising(reads, 5, 9, 20), tmp_path, epoch=epoch, rules=rules).run()
    loop = a_loop(Raising(reads, 5, 9, 20), tmp_path, epoch=3, rules=rules)
    assert loop.run() is Ending.PUBLISHED
    assert [(u.unit, u.tries) for u in loop.checkpoint.quarantined] == [(5, 3), (9, 3), (20, 3)]


def test_too_many_bad_units_fail_the_stage_and_all_are_named(reads: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(*owner(reads, tmp_path), 1)
    for number in (3, 5):
        for _ in range(2):
            checkpoint.blame(number, BAD_STRETCH)
    loop = a_loop(Raising(reads, 3, 5), tmp_path, epoch=2)
    with pytest.raises(WorkerFailed) as failure:
        loop.run()
    assert "2 of 24 units fail again and again, 1 may be left out" in str(failure.value)
    assert "unit 3 (lines of unit 3): ZeroDivisionError: a bad stretch" in str(failure.value)
    assert "unit 5 (lines of unit 5)" in str(failure.value)
    assert not (tmp_path / "out/digests.txt").exists()


@pytest.mark.parametrize(("units", "allowed"), [(0, 0), (1, 0), (2, 1), (39, 1), (40, 2), (999, 3)])
def test_the_share_that_may_be_left_out(units: int, allowed: int) -> None:
    assert QuarantineRules().allowed(units) == allowed


def test_a_fault_of_the_world_counts_against_no_unit(reads: Path, tmp_path: Path) -> None:
    for epoch in range(1, 6):
        work = Raising(reads, 5, error=Unavailable("the disk is full."))
        with pytest.raises(Unavailable):
            a_loop(work, tmp_path, epoch=epoch).run()
    loop = a_loop(DigestWork(reads), tmp_path, epoch=9)
    assert loop.checkpoint.tried == {}
    assert loop.run() is Ending.PUBLISHED
    assert loop.checkpoint.quarantined == ()


def test_a_child_that_a_full_disk_killed_counts_against_no_unit(
    reads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It only reports that it failed: what is left of the disk shows why."""
    with monkeypatch.context() as patch:
        left = {tmp_path / "scratch": 1000}
        patch.setattr(full_disk, "_left", lambda folder: left.get(folder, 1 << 40))
        for epoch in range(1, 6):
            work = Raising(reads, 5, error=WorkerFailed("exited with code 1 without an answer"))
            with pytest.raises(WorkerFailed):
                a_loop(work, tmp_path, epoch=epoch).run()
    loop = a_loop(DigestWork(reads), tmp_path, epoch=9)
    assert loop.checkpoint.tried == {}, "nor does the unit count as one that its worker died of"
    assert loop.run() is Ending.PUBLISHED
    assert loop.checkpoint.quarantined == ()


def test_notices_in_the_same_unit_speak_against_it_never(reads: Path, tmp_path: Path) -> None:
    for epoch in range(1, 6):
        stop = Stop()

        class Noticed(DigestWork):
            def process(self, payload: tuple[int, bytes], stop: Stop = stop) -> UnitOutput:
                stop.request("notice")
                time.sleep(30)
                return super().process(payload)

        loop = a_loop(Noticed(reads), tmp_path, epoch=epoch, stop=stop, grace_s=0.1)
        assert loop.run() is Ending.INTERRUPTED
    loop = a_loop(DigestWork(reads), tmp_path, epoch=9)
    assert loop.checkpoint.tried == {}
    assert loop.run() is Ending.PUBLISHED


class Unread(DigestWork):
    """The input of its unit 5 cannot be read: unit 4 or 5 is in flight then."""

    error: Exception

    def units(self, done: frozenset[int]) -> Iterator[tuple[int, tuple[int, bytes]]]:
        for number, payload in super().units(done):
            if number == 5:
                raise self.error
            yield number, payload


@pytest.mark.parametrize("error", [Unavailable("S3"), OSError(errno.ENOSPC, "full")], ids=repr)
def test_input_that_cannot_be_had_counts_against_no_unit(
    reads: Path, tmp_path: Path, error: Exception
) -> None:
    work = Unread(reads)
    work.error = error
    with pytest.raises(type(error)):
        a_loop(work, tmp_path).run()
    there = open_checkpoint(*owner(reads, tmp_path), 2)
    assert (set(there.units), there.tried) == ({1, 2, 3, 4}, {})


class Away(FolderStore):
    """Takes no more writes from one save on, as often as one tries, and counts how often."""

    requested = 0
    away = False

    def replace(self, name: str, content: bytes, tag: str) -> str | None:
        if self.away:
            self.requested += 1
            raise Unavailable("S3 does not answer")
        return super().replace(name, content, tag)


def test_a_checkpoint_that_cannot_be_reached_is_not_waited_for_again(
    reads: Path, tmp_path: Path
) -> None:
    store, work, stop = Away(tmp_path / "checkpoint"), DigestWork(reads), Stop()
    loop = a_loop(work, tmp_path, stop=stop, on_save=lambda n: setattr(store, "away", n == 3))
    loop.checkpoint._store = store
    with pytest.raises(Unavailable):
        loop.run()
    assert stop.requested, "who still waits, in whatever thread, is to end"
    assert store.requested == 2
    fingerprint = work.fingerprint()
    store.away = False
    assert set(open_checkpoint(store, fingerprint, 2).tried) == {4}, "the mark is still there"


def test_who_was_fenced_out_writes_nothing_more(reads: Path, tmp_path: Path) -> None:
    with pytest.raises(StaleEpoch):
        a_loop(Raising(reads, 5, error=StaleEpoch("epoch 2 owns it")), tmp_path).run()
    assert set(open_checkpoint(*owner(reads, tmp_path), 2).tried) == {5}


def dies_in_flight(reads: Path, folder: Path, epoch: int, blameless: Collection[int] = ()) -> None:
    """What a worker leaves that died in unit 4."""
    store, fingerprint = owner(reads, folder)
    checkpoint = open_checkpoint(store, fingerprint, epoch, blameless)
    if 3 not in checkpoint.units:
        checkpoint.save_all({n: UnitToSave(UnitOutput(bytes([n]))) for n in (1, 2, 3)})
    checkpoint.begin(4)


def test_a_death_counts_against_the_unit_in_flight(reads: Path, tmp_path: Path) -> None:
    for epoch in (1, 2):
        dies_in_flight(reads, tmp_path, epoch)
    tried = open_checkpoint(*owner(reads, tmp_path), 3).tried
    assert {n: t.count for n, t in tried.items()} == {4: 2}


def test_an_epoch_that_no_unit_ended_counts_against_none(reads: Path, tmp_path: Path) -> None:
    for epoch in range(1, 6):
        dies_in_flight(reads, tmp_path, epoch, blameless=range(1, epoch))
    assert open_checkpoint(*owner(reads, tmp_path), 6, blameless=range(1, 6)).tried == {}
    dies_in_flight(reads, tmp_path, 7, blameless=range(1, 6))
    after = open_checkpoint(*owner(reads, tmp_path), 9, blameless=(1, 2, 3, 4, 5, 8))
    assert {n: t.count for n, t in after.tried.items()} == {4: 1}, "8 never got that far"


def test_a_unit_that_succeeds_is_no_suspect_any_more(reads: Path, tmp_path: Path) -> None:
    dies_in_flight(reads, tmp_path, 1)
    loop = a_loop(DigestWork(reads), tmp_path, epoch=2)
    assert set(loop.checkpoint.tried) == {4}
    loop.run()
    assert loop.checkpoint.tried == {}


DEADLY = """
import os, signal, sys
sys.path.insert(0, {repo!r})
from porewatch.domain.stage.quarantine import QuarantineRules
from tests.worker import runtime_work
from tests.worker.runtime_work import DigestWork, main

class Deadly(DigestWork):
    def process(self, payload):
        if payload[0] in {bad}:
            os.kill(os.getpid(), signal.{how})
        return super().process(payload)

runtime_work.DigestWork = Deadly
rules = QuarantineRules(most_share=0.5)
run = runtime_work.StageLoop
runtime_work.StageLoop = lambda **rest: run(**rest, rules=rules)
main(*sys.argv[1:])
"""


@pytest.mark.parametrize("how", ["SIGSEGV", "SIGKILL"])
def test_a_unit_that_kills_its_worker_is_given_up_by_the_third_one_which_survives(
    reads: Path, tmp_path: Path, how: str
) -> None:
    program = DEADLY.format(repo=str(Path(__file__).parents[2]), bad=(7, 15), how=how)
    codes = []  # two units kill: the second one needs no further machine
    for epoch in (1, 2, 3):
        arguments = [reads, tmp_path / "cp", tmp_path / "out", str(epoch), "0"]
        done = subprocess.run(
            [sys.executable, "-c", program, *map(str, arguments)],
            capture_output=True,
            timeout=60,
            check=False,
        )
        codes.append(done.returncode)
    assert codes == [-signal.Signals[how], -signal.Signals[how], 0], done.stderr.decode()
    listed = open_checkpoint(FolderStore(tmp_path / "cp"), owner(reads, tmp_path)[1], 9)
    lost = [(unit.unit, unit.tries, unit.reason) for unit in listed.quarantined]
    assert lost == [(7, 3, f"killed by {how}"), (15, 3, f"killed by {how}")]


def test_a_death_among_units_saved_together_is_pinned_down_one_by_one(
    reads: Path, tmp_path: Path
) -> None:
    checkpoint = open_checkpoint(*owner(reads, tmp_path), 1)
    checkpoint.begin(1, last=10)
    loop = a_loop(DigestWork(reads), tmp_path, epoch=2)
    assert set(loop.checkpoint.tried) == set(range(1, 11))
    loop._saver.interval.flush_s, loop._saver.interval.unit_s = 1.0, 0.001
    loop.run()
    assert all(unit.pack is None for n, unit in loop.checkpoint.units.items() if n <= 10)


def test_a_child_answers_raises_and_dies_without_its_parent() -> None:
    def die() -> None:
        faulthandler.disable()  # pytest's would print a page
        os.kill(os.getpid(), signal.SIGSEGV)

    parent = os.getpid()
    assert in_child(lambda: (os.getpid(), "answer"))[1] == "answer"
    assert in_child(os.getpid) != parent
    with pytest.raises(ZeroDivisionError, match="division"):
        in_child(lambda: 1 // 0)
    with pytest.raises(WorkerFailed, match="killed by SIGSEGV"):
        in_child(die)
    with pytest.raises(WorkerFailed, match="exited with code 3"):
        in_child(lambda: os._exit(3))


class Unpackable(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def test_an_error_that_cannot_travel_is_reported_by_its_name() -> None:
    def fail() -> None:
        raise Unpackable(1, 2)

    with pytest.raises(WorkerFailed, match="Unpackable: 1 and 2"):
        in_child(fail)


def test_what_was_given_up_stays_so_and_is_in_every_beat(reads: Path, tmp_path: Path) -> None:
    attempts(reads, tmp_path, 5)
    outbox = RecordedOutbox()
    work = DigestWork(reads)
    loop = a_loop(work, tmp_path, epoch=9, outbox=outbox)
    loop.run()
    assert work.computed == []
    assert {beat.quarantined for beat in outbox.beats} == {(5,)}
