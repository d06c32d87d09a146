"""The loop against a stack and against a server's functions, by a clock of its own: hours pass in a
moment, and the wall clock jumps."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from porewatch.adapters.objects import Objects
from porewatch.domain import s3_keys
from porewatch.domain.errors import InputRefused, Unavailable
from porewatch.domain.sealing import parse_manifest
from porewatch_cli import watch_folder as package
from porewatch_cli.stack import Stack
from porewatch_cli.submit.collect_run import collect_run
from porewatch_cli.submit.submission import Submission
from porewatch_cli.watch_folder import agent, stack_door
from porewatch_cli.watch_folder import watch_folder as watching
from porewatch_cli.watch_folder.agent import Agent
from porewatch_cli.watch_folder.doors import Door
from porewatch_cli.watch_folder.doorstep import LONGEST_S, Doorstep
from porewatch_cli.watch_folder.journal import Journal
from porewatch_cli.watch_folder.lines import Lines
from porewatch_cli.watch_folder.look import Looker
from porewatch_cli.watch_folder.sealing import Pace
from porewatch_cli.watch_folder.stack_door import StackDoor
from tests.cli.test_choices import stack  # noqa: F401 - a fixture
from tests.watch_folder.front import versions
from tests.watch_folder.minknow import SUMMARY, begun, ended, name_of, put, reads

RUN = "r1"
PACE = Pace(settle=10.0)
WALL_CLOCK = re.compile(r"time\.time|datetime|domain\.base import .*\bnow\b|gmtime|localtime")


@dataclass
class Clock:
    """Monotonic time that goes on when somebody waits. `at`: what happens by itself, and when."""

    time: float = 1000.0
    at: list[tuple[float, Callable[[], object]]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, *, looked_for: float) -> bool:
        self.waits.append(seconds)
        assert len(self.waits) < 3000, "it goes round for ever"
        until = self.time + max(seconds, 0.5)
        for moment, act in sorted(self.at, key=lambda one: one[0]):
            if moment <= until:
                self.at.remove((moment, act))
                self.time = max(self.time, moment)
                act()
                return True
        self.time = until
        return True

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        self.at.append((self.time + seconds, act))


@dataclass
class Lab:
    """A folder, a journal and a door."""

    folder: Path
    door: Door
    journal: Path
    clock: Clock = field(default_factory=Clock)

    def watch(self) -> Submission:
        """A process: what it remembers dies with it."""
        lines = Lines(str(self.folder), as_json=True)
        with Journal(self.journal) as journal:
            doorstep = Doorstep(self.clock.now, lines, random.Random(1).random)
            lines.run_id = self.door.begin()
            looker = Looker(self.folder, self.door.place, self.clock.now)
            return Agent(looker, journal, self.door, doorstep, lines, self.clock, PACE).run()


@pytest.fixture
def lab(stack: Stack, tmp_path: Path) -> Lab:  # noqa: F811
    folder = tmp_path / "data" / "run"
    folder.mkdir(parents=True)
    door = StackDoor(path=folder, name="stack", find=lambda: stack, run_id=RUN)
    return Lab(folder, door, tmp_path / "state/j")


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sealed_as_submitted(lab: Lab, files: dict[str, bytes], contents: int = 1) -> None:
    """`contents`: how many the first file has had."""
    expected = collect_run(lab.folder, run_id=RUN).manifest
    raw = Objects("raw")
    sealed = parse_manifest(raw.get(s3_keys.seal_key(RUN)), run_id=RUN)
    assert sealed.model_copy(update={"created_at": expected.created_at}) == expected
    there = {head.key for head in raw.keys(s3_keys.raw_key(RUN, ""))} - {s3_keys.seal_key(RUN)}
    assert sorted(map(raw.get, there)) == sorted(files.values())
    assert len(files) > 1
    assert sorted(map(versions, there)) == [*[1] * (len(files) - 1), contents]
    assert versions(s3_keys.seal_key(RUN)) == 1


def test_nothing_is_taken_before_it_is_closed_and_no_failed_or_skipped_file_is(lab: Lab) -> None:
    files = begun(lab.folder)
    growing = name_of(9)
    whole = files[growing] = reads(9)
    for part in range(1, 6):
        until = len(whole) * part // 5
        lab.clock.later(part * 6.0, lambda until=until: put(lab.folder, growing, whole[:until]))

    def at_last() -> None:
        assert sum(1 for _ in Objects("raw").keys("runs/")) == len(files) - 1
        ended(lab.folder)

    lab.clock.later(35.0, at_last)
    assert lab.watch().files == len(files)
    sealed_as_submitted(lab, files)


def test_a_file_that_got_its_name_when_it_was_whole_is_taken_at_once(lab: Lab) -> None:
    begun(lab.folder, files=1)
    name = name_of(5)
    hidden = put(lab.folder, f"{name}.tmp", reads(5))
    renamed: list[float] = []

    def rename() -> None:
        hidden.rename(lab.folder / name)
        renamed.append(lab.clock.time)

    def is_there() -> None:
        assert versions(s3_keys.raw_key(RUN, name.replace("_pass", "", 1))) == 1

    lab.clock.later(40.0, rename)
    lab.clock.later(43.0, is_there)
    lab.clock.later(44.0, lambda: ended(lab.folder))
    lab.watch()
    assert renamed and not lab.clock.at


def test_a_file_that_grows_after_it_was_sent_arrives_with_its_new_content_and_is_named(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(lab.folder)
    name = name_of(0)
    files[name] += reads(50)
    lab.clock.later(60.0, lambda: put(lab.folder, name, files[name]))
    lab.clock.later(61.0, lambda: ended(lab.folder))
    lab.watch()
    sealed_as_submitted(lab, files, contents=2)
    lines = printed(capsys)
    assert [one["path"] for one in lines if one["event"] == "sent_again"] == [name]


def test_a_file_that_is_only_touched_is_not_sent_again(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(lab.folder)
    lab.clock.later(60.0, (lab.folder / name_of(0)).touch)
    lab.clock.later(90.0, lambda: ended(lab.folder))
    lab.watch()
    sealed_as_submitted(lab, files)
    assert [one["event"] for one in printed(capsys) if one["kind"] == "file"] == ["sent"] * 4


def test_half_a_file_that_stands_still_waits_for_its_other_half(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(lab.folder)
    name = name_of(4)
    files[name] = reads(4)
    put(lab.folder, name, files[name][:-30])
    ended(lab.folder)
    lab.clock.later(120.0, lambda: put(lab.folder, name, files[name]))
    lab.watch()
    sealed_as_submitted(lab, files)
    (unsound,) = [one for one in printed(capsys) if one["event"] == "unsound"]
    assert (unsound["path"], unsound["code"]) == (name, "input_refused")


def test_half_a_file_that_stays_so_is_refused_as_submit_refuses_it(lab: Lab) -> None:
    begun(lab.folder)
    put(lab.folder, name_of(4), reads(4)[:-30])
    ended(lab.folder)
    begin = lab.clock.time
    with pytest.raises(InputRefused) as refused:
        lab.watch()
    with pytest.raises(InputRefused) as by_submit:
        collect_run(lab.folder, run_id=RUN)
    assert str(refused.value) == str(by_submit.value)
    assert PACE.patience < lab.clock.time - begin < 2 * PACE.patience
    assert versions(s3_keys.seal_key(RUN)) == 0


def test_files_that_minknow_counted_are_waited_for(lab: Lab) -> None:
    files = begun(lab.folder)
    ended(lab.folder, counted=len(files) + 3)  # two were failed or skipped
    files[name_of(8)] = reads(8)
    lab.clock.later(200.0, lambda: put(lab.folder, name_of(8), files[name_of(8)]))
    lab.watch()
    sealed_as_submitted(lab, files)


def test_a_summary_that_is_still_written_seals_nothing(lab: Lab) -> None:
    files = begun(lab.folder)
    lab.clock.later(50.0, lambda: put(lab.folder, "final_summary_1.txt", SUMMARY[:30]))
    lab.clock.later(90.0, lambda: put(lab.folder, "final_summary_1.txt", SUMMARY))
    lab.watch()
    assert lab.clock.time > 1090.0
    sealed_as_submitted(lab, files)


def test_files_that_were_sent_and_are_gone_are_named_before_anything_is_sealed(lab: Lab) -> None:
    begun(lab.folder)
    lab.clock.later(60.0, (lab.folder / name_of(0)).unlink)
    lab.clock.later(61.0, lambda: ended(lab.folder))
    with pytest.raises(InputRefused, match=f"not in the folder any more: {name_of(0)}"):
        lab.watch()
    assert versions(s3_keys.seal_key(RUN)) == 0


def test_a_folder_that_is_away_for_a_while_is_waited_for(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(lab.folder)
    away = lab.folder.with_name("away")
    lab.clock.later(40.0, lambda: lab.folder.rename(away))
    lab.clock.later(400.0, lambda: away.rename(lab.folder))
    lab.clock.later(401.0, lambda: ended(lab.folder))
    lab.watch()
    sealed_as_submitted(lab, files)
    assert [one["event"] for one in printed(capsys)].count("unreadable") == 1


# the network


def cut(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> list[float]:
    """No request reaches S3 until then; when it was tried."""
    tries: list[float] = []
    until = clock.time + seconds
    send = stack_door.send

    def refusing(*words: Any, **more: Any) -> bool:
        if clock.time < until:
            tries.append(clock.time)
            raise EndpointConnectionError(endpoint_url="https://s3")
        return send(*words, **more)

    monkeypatch.setattr(stack_door, "send", refusing)
    return tries


def test_an_hour_without_network_is_an_hour_of_few_and_spread_attempts(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = begun(lab.folder, files=1)
    ended(lab.folder)
    tries = cut(monkeypatch, lab.clock, 3600.0)
    lab.watch()
    sealed_as_submitted(lab, files)
    moments = sorted(set(tries))
    assert 10 < len(moments) < 40
    pauses = [b - a for a, b in pairwise(moments)]
    assert max(pauses) <= LONGEST_S + 1
    assert len({round(pause, 3) for pause in pauses[-8:]}) == 8  # no two alike
    assert len(lab.clock.waits) < 500
    lines = printed(capsys)
    assert [one["event"] for one in lines].count("door_open") == 1
    shut = [one for one in lines if one["event"] == "door_shut"]
    assert shut[0]["code"] == "unavailable" and shut[0]["retry_s"] > 0
    assert lab.clock.time < 1000 + 3600 + 2 * LONGEST_S


def test_what_was_checked_while_the_network_was_away_is_not_read_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    check = agent.check_file
    monkeypatch.setattr(agent, "check_file", lambda path: (read.append(path.name), check(path))[1])
    files = begun(lab.folder)
    ended(lab.folder)
    cut(monkeypatch, lab.clock, 600.0)
    lab.watch()
    assert sorted(read) == sorted(Path(name).name for name in files)


def test_aws_that_refuses_is_no_network_that_is_away(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(code: str, status: int) -> Callable[..., bool]:
        told: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}

        def refusing(*_: Any, **__: Any) -> bool:
            raise ClientError(told, "PutObject")

        return refusing

    for code, status in (("SlowDown", 503), ("RequestTimeTooSkewed", 403), ("Throttling", 400)):
        monkeypatch.setattr(stack_door, "send", answer(code, status))
        with pytest.raises(Unavailable):
            lab.door.send("a", lab.folder, "fastq/a", "0")
    monkeypatch.setattr(stack_door, "send", answer("AccessDenied", 403))
    begun(lab.folder)
    with pytest.raises(ClientError, match="AccessDenied"):
        lab.watch()


def test_a_door_that_is_away_at_a_start_is_an_error_at_the_first_and_waited_for_later(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    until, begin = lab.clock.time + 900.0, lab.door.begin

    def away() -> str:
        if lab.clock.time < until:
            raise Unavailable("it does not answer.")
        return begin()

    monkeypatch.setattr(lab.door, "begin", away)
    doorstep = Doorstep(lab.clock.now, Lines("run", as_json=True))
    with Journal(lab.journal) as journal:
        with pytest.raises(Unavailable):
            watching._begun(lab.door, journal, doorstep, lab.clock)
        assert lab.clock.waits == []
        journal.keep_fact("run_id", RUN)  # as an earlier start left it
        assert watching._begun(lab.door, journal, doorstep, lab.clock) == RUN
    assert lab.clock.time >= until
    assert 5 < len(lab.clock.waits) < 20


# clocks


def test_no_decision_reads_the_wall_clock(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of modification lie in the past and in the future; the clock jumps at each look."""
    files = begun(lab.folder)
    for number, year in enumerate((0, 1, 4_000_000_000)):
        os.utime(lab.folder / name_of(number), (year, year))
    put(lab.folder, name_of(5), reads(5)[:-9])
    files[name_of(5)] = reads(5)

    def written_by_a_clock_that_jumped_back() -> None:
        os.utime(put(lab.folder, name_of(5), files[name_of(5)]), (5, 5))

    lab.clock.later(33.0, written_by_a_clock_that_jumped_back)
    lab.clock.later(80.0, lambda: ended(lab.folder))
    lab.watch()
    sealed_as_submitted(lab, files)


def test_the_sources_ask_for_no_wall_clock() -> None:
    sources = sorted(Path(str(package.__file__)).parent.glob("*.py"))
    assert len(sources) > 10
    asked = [path.name for path in sources if WALL_CLOCK.search(path.read_text())]
    assert asked == []


# it reads, and nothing else


def test_the_folder_is_left_as_it_was(lab: Lab) -> None:
    begun(lab.folder)
    ended(lab.folder)
    for path in lab.folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)

    def state() -> dict[str, tuple[int, ...]]:
        found = {}
        for path in (lab.folder, *sorted(lab.folder.rglob("*"))):
            there = path.stat()
            found[str(path)] = (there.st_ino, there.st_mode, there.st_size, there.st_mtime_ns)
        return found

    before = state()
    assert len(before) > 10
    lab.watch()
    assert state() == before


def test_signal_waits_for_the_seal_where_called_reads_may_come(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    put(lab.folder, "pod5_pass/barcode01/a.pod5", b"signal, and a second copy of what is called")
    files: dict[str, bytes] = {}
    lab.clock.later(100.0, lambda: files.update(begun(lab.folder)))
    lab.clock.later(200.0, lambda: ended(lab.folder))
    sent = lab.watch()
    sealed_as_submitted(lab, files)
    assert any("another kind" in line for line in sent.left_out)
    assert [
        one["path"] for one in printed(capsys) if one["kind"] == "file" if "pod5" in one["path"]
    ] == []
