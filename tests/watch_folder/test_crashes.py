"""The command in a process of its own against S3 and the ledger: killed at any request, cut off,
started twice. Every file arrives once, and the seal once."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from porewatch.adapters.ledger.runs import RunLedger
from porewatch.adapters.objects import Objects
from porewatch.domain import s3_keys
from porewatch.domain.base import now
from porewatch.domain.rules import run_endings
from porewatch.domain.sealing import parse_manifest
from porewatch_cli.exit_codes import COMMAND_FAILED, NOT_REPORTABLE, REFUSED
from porewatch_cli.submit.collect_run import collect_run
from tests.json_output import error_fits, lines_fit
from tests.mocked import make_buckets, make_ledger, mocked_aws
from tests.watch_folder.front import Front, front_of, versions
from tests.watch_folder.minknow import begun, ended, name_of, put, reads

RUN = "20260301_1200_X1_FAX00001_abcdef01"


@dataclass
class Pc:
    """The sequencer's PC: a run's folder, the user's state, and the network to AWS."""

    folder: Path
    home: Path
    front: Front
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *more: str, **how: Any) -> subprocess.Popen[str]:
        line = ("watch-folder", str(self.folder), "--run-id", RUN, "--settle", "1", "--json", *more)
        environment = {
            **os.environ,
            "POREWATCH_HOME": str(self.home),
            "XDG_STATE_HOME": str(self.home / "state"),
        }
        environment.pop("POREWATCH_STACK", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "porewatch_cli.main", *line],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how,
        )  # fmt: skip
        self.started.append(process)
        return process

    def keys(self) -> dict[str, bytes]:
        """Every object of the run but the seal."""
        raw = Objects("raw")
        found = {head.key: raw.get(head.key) for head in raw.keys(s3_keys.raw_key(RUN, ""))}
        found.pop(s3_keys.seal_key(RUN), None)
        return found

    def complete(self) -> None:
        """As the cloud would, once the run is sealed."""
        manifest = parse_manifest(Objects("raw").get(s3_keys.seal_key(RUN)), run_id=RUN)
        runs = RunLedger(make_ledger())
        runs.seal(manifest, sealed_by="run.json", at=now())
        runs.start(manifest, execution_arn="a", bundle="demo@1", at=now())
        runs.apply(RUN, run_endings.complete, 0, report_keys={}, findings=0, cost_usd=0, at=now())


@pytest.fixture
def pc(tmp_path: Path) -> Iterator[Pc]:
    with mocked_aws():
        make_buckets()
        make_ledger()
        with front_of(tmp_path / "home") as front:
            pc = Pc(tmp_path / "data" / RUN, tmp_path / "home", front)
            pc.folder.mkdir(parents=True)
            front.sealed = pc.complete
            yield pc
            for process in pc.started:
                if process.poll() is None:
                    process.kill()
                process.communicate()


def lines_of(output: str) -> list[dict[str, Any]]:
    *lines, last = output.splitlines()
    ending = error_fits(last) if "error" in json.loads(last) else lines_fit(last)[0]
    return [*lines_fit("\n".join(lines)), ending]


def as_submitted(pc: Pc, files: dict[str, bytes]) -> None:
    """What lies in the bucket is what `submit` would put there: each file once, the seal once."""
    expected = collect_run(pc.folder, run_id=RUN).manifest
    sealed = parse_manifest(Objects("raw").get(s3_keys.seal_key(RUN)), run_id=RUN)
    assert sealed.model_copy(update={"created_at": expected.created_at}) == expected
    contents = pc.keys()
    assert len(sealed.files) == len(files) == len(contents) > 0
    assert sorted(contents.values()) == sorted(files.values())
    heads = {key: boto3.client("s3").head_object(Bucket="raw", Key=key) for key in contents}
    digests = {file.sha256 for file in sealed.files}
    assert {head["Metadata"]["sha256"] for head in heads.values()} == digests
    assert {key: versions(key) for key in contents} == dict.fromkeys(contents, 1)
    assert versions(s3_keys.seal_key(RUN)) == 1


def test_a_run_is_sent_while_it_is_written_and_sealed_at_its_summary(pc: Pc) -> None:
    files = begun(pc.folder)
    process = pc.start()
    wait_until(lambda: len(pc.keys()) == len(files), process)
    assert versions(s3_keys.seal_key(RUN)) == 0
    late = name_of(7)
    files[late] = reads(7)
    put(pc.folder, late, files[late])
    ended(pc.folder)
    out, err = process.communicate(timeout=90)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)
    lines = lines_of(out)
    assert [line["path"] for line in lines if line["kind"] == "file"].count(late) == 1
    assert {line["event"] for line in lines if line["kind"] == "file"} == {"sent"}
    assert [line["kind"] for line in lines][-2:] == ["submitted", "run"]
    again = pc.start()
    out, _ = again.communicate(timeout=60)
    assert again.returncode == NOT_REPORTABLE
    assert {line["kind"] for line in lines_of(out)} == {"submitted", "run"}
    as_submitted(pc, files)


def wait_until(
    true: Callable[[], object], process: subprocess.Popen[str], seconds: float = 60.0
) -> None:
    until = time.monotonic() + 60
    while not true():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.1)


def killed_at(pc: Pc, number: int, when: str) -> bool:
    """Start the command, and kill it at that request; False when it ended before."""
    process: subprocess.Popen[str] | None = None
    first = pc.front.number

    def kill(at: int, moment: str) -> None:
        if (at - first, moment) == (number, when) and process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    pc.front.moment = kill
    process = pc.start()
    process.communicate(timeout=90)
    pc.front.moment = lambda _number, _when: None
    return process.returncode == -signal.SIGKILL


def every_kill(pc: Pc, numbers: Iterable[int]) -> int:
    """Kills at these requests, each in the next start: how many there were."""
    kills = 0
    for number in numbers:
        for when in ("before", "after"):
            if not killed_at(pc, number, when):
                return kills
            kills += 1
    return kills


@pytest.mark.parametrize("number", [3, 6, 9])
def test_killed_at_a_request_it_goes_on_where_it_was(pc: Pc, number: int) -> None:
    files = begun(pc.folder, files=2)
    ended(pc.folder)
    assert every_kill(pc, [number]) > 0
    process = pc.start()
    _, err = process.communicate(timeout=90)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)


@pytest.mark.parametrize("ledger_knows", [True, False])
def test_killed_when_s3_has_the_seal_it_seals_no_second_time(pc: Pc, ledger_knows: bool) -> None:
    files = begun(pc.folder)
    ended(pc.folder)

    def kill() -> None:
        pc.started[-1].kill()
        pc.started[-1].wait()

    pc.front.sealed = kill
    process = pc.start()
    process.communicate(timeout=90)
    assert process.returncode == -signal.SIGKILL
    if ledger_knows:
        pc.complete()
    process = pc.start()
    if not ledger_knows:
        time.sleep(6)  # it waits for the run that it does not seal again
        pc.complete()
    _, err = process.communicate(timeout=90)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)


@pytest.mark.slow
def test_killed_at_every_request_in_turn(pc: Pc) -> None:
    """Each start comes one request further than the last: every moment at which the network is
    used, before and after S3 has carried it out."""
    files = begun(pc.folder, files=2)
    ended(pc.folder)
    kills = every_kill(pc, range(1, 60))
    assert kills > 15
    as_submitted(pc, files)


def test_the_network_is_away_for_a_while(pc: Pc) -> None:
    files = begun(pc.folder)
    process = pc.start()
    wait_until(pc.keys, process)
    pc.front.is_down = True
    for number in (5, 6):
        files[name_of(number)] = reads(number)
        put(pc.folder, name_of(number), files[name_of(number)])
    wait_until(lambda: pc.front.cut > 3, process)
    ended(pc.folder)
    pc.front.is_down = False
    _, err = process.communicate(timeout=200)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)


def test_after_a_reboot_the_network_may_come_later(pc: Pc) -> None:
    files = begun(pc.folder)
    process = pc.start()
    wait_until(lambda: len(pc.keys()) == len(files), process)
    process.kill()
    process.communicate()
    ended(pc.folder)
    pc.front.is_down = True
    process = pc.start()
    wait_until(lambda: pc.front.cut > 0, process)
    pc.front.is_down = False
    _, err = process.communicate(timeout=200)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)


def test_a_second_agent_on_the_folder_refuses_and_the_lock_dies_with_its_process(pc: Pc) -> None:
    begun(pc.folder)
    first = pc.start()
    wait_until(pc.keys, first)
    for more in ((), ("--journal", str(pc.home / "other.journal"))):
        second = pc.start(*more)
        out, _ = second.communicate(timeout=60)
        assert second.returncode == COMMAND_FAILED
        assert lines_of(out)[-1]["code"] == "conflict"
    first.kill()
    first.communicate()
    third = pc.start()
    ended(pc.folder)
    third.communicate(timeout=90)
    assert third.returncode == NOT_REPORTABLE


def test_a_full_disk_is_said_and_nothing_is_lost_or_doubled(pc: Pc) -> None:
    """No file of this process may grow beyond some kilobytes: SQLite meets a real refusal."""
    files = begun(pc.folder, files=40)
    ended(pc.folder)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    process = pc.start(preexec_fn=full)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == COMMAND_FAILED
    last = lines_of(out)[-1]
    assert (last["code"], last["file"].endswith(".journal")) == ("unavailable", True)
    assert "free space" in last["remedy"]
    assert versions(s3_keys.seal_key(RUN)) == 0
    process = pc.start()
    _, err = process.communicate(timeout=120)
    assert process.returncode == NOT_REPORTABLE, err
    as_submitted(pc, files)


def test_what_no_file_can_change_is_refused_at_once(pc: Pc) -> None:
    begun(pc.folder)
    wrong = (
        ("--sample-sheet", str(pc.home / "no-sheet.csv")),
        ("--layout", "defualt"),
        ("--journal", str(pc.folder / "my.journal")),
    )
    for more in wrong:
        out, _ = pc.start(*more).communicate(timeout=60)
        assert pc.started[-1].returncode == REFUSED, out
        assert lines_of(out)[-1]["error"]
    assert pc.keys() == {}
    assert not (pc.folder / "my.journal").exists()
