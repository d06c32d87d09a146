"""The stage loop and its checkpoints, on a local folder: kills, zombies, damage, stops."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from porewatch.domain.calls.alarm_rule import Alarm
from porewatch.domain.errors import StaleEpoch, Unavailable
from porewatch.domain.stage.manifest import PhaseRecord
from porewatch.domain.stage.record import Progress
from porewatch_worker.checkpoint.folder_store import FolderStore
from porewatch_worker.checkpoint.opening import open_checkpoint
from porewatch_worker.stage.loop import (
    Ending,
    StageLoop,
)
from porewatch_worker.stage.publish import (
    Author,
    FolderPublisher,
)
from porewatch_worker.stage.stop import Stop
from porewatch_worker.stage_work import UnitOutput
from tests.worker.runtime_work import DigestWork

PROGRAM = Path(__file__).with_name("runtime_work.py")
UNITS = 24


@pytest.fixture
def reads(tmp_path: Path) -> Path:
    path = tmp_path / "reads.txt"
    path.write_text("".join(f"line {n}\n" for n in range(UNITS * 4)))
    return path


class RecordedOutbox:
    """An outbox that remembers."""

    def __init__(self) -> None:
        self.beats: list[Progress] = []
        self.sent: list[tuple[str, object]] = []

    def beat(self, progress: Progress) -> None:
        self.beats.append(progress)

    def suspected(self, alarm: Alarm) -> None:
        self.sent.append(("suspected", alarm.code))

    def phase_done(self, record: PhaseRecord) -> None:
        self.sent.append(("phase_done", record.phase))

    def published(self, manifest_key: str) -> None:
        self.sent.append(("published", manifest_key))

    def interrupted(self, last_checkpoint: int | None) -> None:
        self.sent.append(("interrupted", last_checkpoint))

    def broken(self, error: str, problem: str) -> None:
        self.sent.append(("broken", error))


def a_loop(work: DigestWork, folder: Path, epoch: int = 1, **rest: object) -> StageLoop:
    store = FolderStore(folder / "checkpoint")
    return StageLoop(
        work=work,
        checkpoint=open_checkpoint(store, work.fingerprint(), epoch),
        outbox=rest.pop("outbox", None) or RecordedOutbox(),  # type: ignore[arg-type]
        publisher=FolderPublisher(
            folder / "out", folder / "notes", Author("run-1", 0, "screen", epoch, "here")
        ),
        scratch=folder / "scratch",
        **rest,  # type: ignore[arg-type]
    )


def start(reads: Path, folder: Path, epoch: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, PROGRAM, reads, folder / "cp", folder / "out", str(epoch), "0.02"],
        stdout=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> list[dict[str, list[int] | str]]:
    out, _ = process.communicate(timeout=60)
    return [json.loads(line) for line in out.splitlines()]


def await_another(checkpoint: Path, kept: set[int]) -> None:
    """Until the checkpoint lists a unit that is not in `kept`."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        listed = json.loads((checkpoint / "checkpoint.json").read_text())["units"]
        if {int(n) for n in listed} - kept:
            return
        time.sleep(0.01)
    raise AssertionError("no unit was saved within a minute")


def test_killed_ten_times_at_random_it_ends_with_the_same_bytes_and_redoes_one_unit_at_most(
    reads: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    a_loop(DigestWork(reads), whole).run()
    killed, rng = tmp_path / "killed", random.Random(2)
    kept: set[int] = set()
    grew = True
    for epoch in range(1, 11):
        process = start(reads, killed, epoch)
        assert process.stdout is not None
        process.stdout.readline()  # it has opened its checkpoint
        if not grew:  # a slow machine would make the next unit look as if it killed its worker
            await_another(killed / "cp", kept)
        time.sleep(rng.uniform(0.0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        there = json.loads((killed / "cp/checkpoint.json").read_text())
        listed = {int(n) for n in there["units"]}
        stored = {int(p.stem) for p in (killed / "cp/units").glob("[0-9]*.bin")}
        assert kept <= listed <= stored
        assert len(stored - listed) <= 1  # finished but not listed: what will be redone
        kept, grew = listed, len(listed) > len(kept)
    assert kept, "the kills came too early to prove anything"
    first, last = printed(start(reads, killed, 11))
    assert set(first["begun"]) == kept
    assert len(last["computed"]) == UNITS - len(kept)
    assert (killed / "out/digests.txt").read_bytes() == (whole / "out/digests.txt").read_bytes()
    manifest = json.loads((killed / "cp/manifest.json").read_text())
    assert manifest["units"] == UNITS
    assert manifest["units_resumed"] == len(kept)
    assert manifest["units_redone"] <= 1


def test_a_zombie_loses_its_checkpoint_to_the_later_epoch_and_stops(
    reads: Path, tmp_path: Path
) -> None:
    zombie = a_loop(DigestWork(reads, seconds=0.05), tmp_path, epoch=1)
    threading.Timer(0.3, lambda: open_checkpoint(*owner(reads, tmp_path), 2)).start()
    with pytest.raises(StaleEpoch):
        zombie.run()
    assert not (tmp_path / "out").exists()
    successor = a_loop(DigestWork(reads), tmp_path, epoch=3)
    assert successor.checkpoint.units, "the zombie's units are kept"
    assert successor.run() is Ending.PUBLISHED


def owner(reads: Path, folder: Path) -> tuple[FolderStore, str]:
    return FolderStore(folder / "checkpoint"), DigestWork(reads).fingerprint()


def test_an_old_epoch_cannot_open_the_checkpoint_of_a_newer_one(
    reads: Path, tmp_path: Path
) -> None:
    open_checkpoint(*owner(reads, tmp_path), 5)
    with pytest.raises(StaleEpoch, match="epoch 5 owns"):
        open_checkpoint(*owner(reads, tmp_path), 4)


def test_a_zombie_cannot_overwrite_a_unit_of_its_successor(reads: Path, tmp_path: Path) -> None:
    zombie = open_checkpoint(*owner(reads, tmp_path), 1)
    successor = open_checkpoint(*owner(reads, tmp_path), 2)
    successor.save(1, b"the successor's answer")
    with pytest.raises(StaleEpoch):
        zombie.save(1, b"another answer")
    assert list(successor.contents()) == [b"the successor's answer"]


def test_a_damaged_unit_is_computed_again_and_the_reason_is_recorded(
    reads: Path, tmp_path: Path
) -> None:
    run_part(reads, tmp_path, 7)
    (tmp_path / "checkpoint/units/000003.bin").write_bytes(b"rot")
    (tmp_path / "checkpoint/units/000005.bin").unlink()
    again = DigestWork(reads)
    loop = a_loop(again, tmp_path, epoch=2)
    assert loop.checkpoint.remarks == (
        "unit 3 was damaged in the checkpoint and is computed again",
        "unit 5 was damaged in the checkpoint and is computed again",
    )
    loop.run()
    assert again.computed == [3, 5, *range(8, UNITS + 1)]
    assert loop.checkpoint.redone == 2
    assert (tmp_path / "out/digests.txt").read_bytes() == straight(reads, tmp_path / "whole")


def straight(reads: Path, folder: Path) -> bytes:
    a_loop(DigestWork(reads), folder).run()
    return (folder / "out/digests.txt").read_bytes()


def run_part(reads: Path, folder: Path, units: int) -> RecordedOutbox:
    """Run until `units` units are saved, then request a stop."""
    stop, outbox = Stop(), RecordedOutbox()

    def saved(number: int) -> None:
        if number == units:
            stop.request("test")

    loop = a_loop(DigestWork(reads), folder, outbox=outbox, stop=stop, on_save=saved)
    assert loop.run() is Ending.INTERRUPTED
    return outbox


def test_a_stop_saves_everything_reports_interrupted_and_the_successor_redoes_nothing(
    reads: Path, tmp_path: Path
) -> None:
    outbox = run_part(reads, tmp_path, 9)
    assert outbox.sent == [("interrupted", 9)]
    successor = DigestWork(reads)
    loop = a_loop(successor, tmp_path, epoch=2)
    loop.run()
    assert successor.computed == list(range(10, UNITS + 1))
    assert loop.checkpoint.redone == 0


def test_another_fingerprint_starts_afresh_in_the_same_folder_and_says_why(
    reads: Path, tmp_path: Path
) -> None:
    run_part(reads, tmp_path, 5)
    changed = DigestWork(reads, salt="other parameters")
    loop = a_loop(changed, tmp_path, epoch=2)
    (remark,) = loop.checkpoint.remarks
    assert remark.startswith("started afresh: the earlier checkpoint was made with other inputs")
    loop.run()
    assert len(changed.computed) == UNITS


def test_another_fingerprint_beside_the_first_starts_afresh_and_says_why(
    reads: Path, tmp_path: Path
) -> None:
    open_checkpoint(FolderStore(tmp_path / "checkpoint/aaaa"), "aaaa", 1).save(1, b"x")
    fresh = open_checkpoint(FolderStore(tmp_path / "checkpoint/bbbb"), "bbbb", 2)
    assert not fresh.units
    (remark,) = fresh.remarks
    assert remark.startswith("started afresh")
    assert "aaaa" in remark


def test_an_unreadable_list_starts_afresh_and_says_why(reads: Path, tmp_path: Path) -> None:
    run_part(reads, tmp_path, 5)
    (tmp_path / "checkpoint/checkpoint.json").write_text("{")
    fresh = open_checkpoint(*owner(reads, tmp_path), 2)
    assert fresh.remarks == (
        "started afresh: the list of the earlier checkpoint could not be read",
    )


def test_a_unit_that_rots_after_the_check_is_never_merged(reads: Path, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(*owner(reads, tmp_path), 1)
    checkpoint.save(1, b"good")
    (tmp_path / "checkpoint/units/000001.bin").write_bytes(b"rot")
    with pytest.raises(Unavailable, match="unit 1 of the checkpoint was damaged"):
        list(checkpoint.contents())


def test_it_beats_at_once_at_every_unit_and_in_between(reads: Path, tmp_path: Path) -> None:
    outbox = RecordedOutbox()
    a_loop(DigestWork(reads, seconds=0.02), tmp_path, outbox=outbox, beat_s=0.01).run()
    assert outbox.beats[0].units_done == 0
    assert [b.units_done for b in outbox.beats] == sorted(b.units_done for b in outbox.beats)
    assert {b.units_done for b in outbox.beats} == set(range(UNITS + 1))
    assert len(outbox.beats) > UNITS * 1.5
    assert outbox.beats[-1].checkpoint == UNITS
    assert [what for what, _ in outbox.sent] == ["phase_done", "published"]


def test_an_alarm_is_sent_once_and_before_the_unit_that_met_it_counts_as_finished(
    reads: Path, tmp_path: Path
) -> None:
    outbox, work = RecordedOutbox(), DigestWork(reads)
    work.alarm_at = 2

    def saved(number: int) -> None:
        outbox.sent.append(("saved", number))

    a_loop(work, tmp_path, outbox=outbox, on_save=saved).run()
    kinds = [what for what, _ in outbox.sent]
    assert kinds.count("suspected") == 1
    assert kinds.index("suspected") < outbox.sent.index(("saved", 2))


def test_a_successor_counts_the_units_of_the_checkpoint_before_it_decides(
    reads: Path, tmp_path: Path
) -> None:
    """The worker died after its last unit was saved and before it spoke."""
    a_loop(DigestWork(reads), tmp_path).run()
    outbox, work = RecordedOutbox(), DigestWork(reads)
    work.alarm_at = UNITS
    a_loop(work, tmp_path, outbox=outbox, epoch=2).run()
    assert work.computed == []
    assert outbox.sent[0] == ("suspected", "PERV")


def test_a_unit_that_outlasts_the_grace_is_abandoned(reads: Path, tmp_path: Path) -> None:
    stop, outbox = Stop(), RecordedOutbox()
    loop = a_loop(DigestWork(reads, seconds=30), tmp_path, outbox=outbox, stop=stop, grace_s=0.2)
    threading.Timer(0.2, lambda: stop.request("notice")).start()
    begun = time.monotonic()
    assert loop.run() is Ending.INTERRUPTED
    assert time.monotonic() - begun < 5
    assert outbox.sent == [("interrupted", None)]


def test_an_error_of_the_work_reaches_the_caller_and_the_units_before_it_are_safe(
    reads: Path, tmp_path: Path
) -> None:
    class Failing(DigestWork):
        def process(self, payload: tuple[int, bytes]) -> UnitOutput:
            if payload[0] == 4:
                raise ZeroDivisionError("unit 4")
            return super().process(payload)

    loop = a_loop(Failing(reads), tmp_path)
    with pytest.raises(ZeroDivisionError):
        loop.run()
    assert set(open_checkpoint(*owner(reads, tmp_path), 2).units) == {1, 2, 3}


def test_sigterm_is_an_orderly_stop(reads: Path, tmp_path: Path) -> None:
    process = start(reads, tmp_path, 1)
    assert process.stdout is not None
    process.stdout.readline()
    wait_for(lambda: len(list((tmp_path / "cp/units").glob("*.bin"))) > 3)
    process.send_signal(signal.SIGTERM)
    (last,) = printed(process)
    assert process.returncode == 0
    assert last["ending"] == "interrupted"
    listed = json.loads((tmp_path / "cp/checkpoint.json").read_text())
    assert sorted(map(int, listed["units"])) == last["computed"]
    assert listed["in_flight"] is None


def wait_for(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def everything(folder: Path) -> dict[str, bytes]:
    """All files that anybody reads: not a frozen writer's draft, which goes when it wakes."""
    there = (p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("."))
    return {str(p): p.read_bytes() for p in there}


def test_a_worker_that_was_frozen_and_wakes_after_its_successor_published_changes_nothing(
    reads: Path, tmp_path: Path
) -> None:
    for frozen_at in (1, 7, UNITS - 6):
        folder = tmp_path / str(frozen_at)
        zombie = start(reads, folder, 1)
        wait_for(lambda at=frozen_at, f=folder: len(stored(f)) >= at)  # type: ignore[misc]
        freeze(zombie, folder)
        _, last = printed(start(reads, folder, 2))
        assert last["ending"] == "published"
        before = everything(folder)
        zombie.send_signal(signal.SIGCONT)
        zombie.communicate(timeout=60)
        assert zombie.returncode != 0
        assert everything(folder) == before


def freeze(process: subprocess.Popen[str], folder: Path) -> None:
    """Stop it where it does not hold the folder's lock: whoever waits for that waits for ever."""
    with (folder / "cp" / ".lock").open("w") as lock:
        while True:
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                process.send_signal(signal.SIGCONT)
                time.sleep(0.005)
            else:
                return


def stored(folder: Path) -> list[Path]:
    return list((folder / "cp/units").glob("[0-9]*.bin"))
