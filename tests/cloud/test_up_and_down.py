"""The embedded AWS comes up, comes up again, and goes away without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from porewatch_local import processes
from porewatch_local.embedded.clients import client
from porewatch_local.embedded.down import down
from porewatch_local.embedded.postgres import (
    start_postgres,
    stop_postgres,
)
from porewatch_local.embedded.up import (
    require,
    status,
    up,
)
from porewatch_local.paths import (
    LocalProblem,
    LocalStack,
    find_home,
)
from tests.cloud.making import wait_for

pytestmark = pytest.mark.cloud


def _ports(stack: LocalStack) -> set[int]:
    assert stack.control and stack.database and stack.identity
    given = (stack.endpoint, stack.control.url, stack.database, stack.identity.issuer)
    found = {urlsplit(address).port for address in given}
    return {port for port in found if port}


def _listening() -> set[int]:
    return {c.laddr.port for c in psutil.net_connections("inet") if c.status == "LISTEN"}


PARTS = {"postgres", "mail", "engine", "identity", "host", "stripe"}


def test_up_twice_is_fine_and_down_leaves_no_process_and_no_port(home: Path) -> None:
    lines: list[str] = []
    first = up(home, deploy=False, progress=lines.append)
    assert len(lines) == 6
    again = up(home, deploy=False)
    assert (again.pids, again.endpoint) == (first.pids, first.endpoint)
    assert status(home).pids == first.pids
    parts = [psutil.Process(pid) for pid in first.pids.values()]
    ports = _ports(first)
    assert len(ports) == 4 and ports <= _listening()
    assert oct((home / "local.json").stat().st_mode)[-3:] == "600"

    assert down(home) == [
        "instance host", "identity provider", "stand-in for Stripe", "engine", "catcher of mail",
        "PostgreSQL",
    ]  # fmt: skip
    assert processes.wait_until_ended(parts, 0)
    assert not ports & _listening()
    assert down(home) == []
    with pytest.raises(
        LocalProblem,
        match=r"not running: postgres, engine, identity, mail, stripe, host.*porewatch up",
    ):
        require(home)


def test_what_was_stored_is_there_after_down_and_up(home: Path) -> None:
    before = up(home, deploy=False)
    s3 = client(before, "s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"still here")
    down(home)
    after = up(home, deploy=False)
    assert after.endpoint == before.endpoint
    assert client(after, "s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"still here"


def test_a_crash_of_the_engine_loses_what_came_after_its_last_snapshot_and_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POREWATCH_SNAPSHOT_S", "0.5")
    lines: list[str] = []
    first = up(home, deploy=False, progress=lines.append)
    client(first, "sqs").create_queue(QueueName="kept")
    written = home / "state" / "engine" / "sqs.json"
    wait_for(lambda: written.exists() and "kept" in written.read_text(), 30, "the snapshot")
    assert not any("not stopped cleanly" in line for line in lines)

    engine = psutil.Process(first.pids["engine"])
    engine.kill()
    assert processes.wait_until_ended([engine], 10)
    again = up(home, deploy=False, progress=lines.append)
    assert client(again, "sqs").list_queues()["QueueUrls"]
    assert sum("was not stopped cleanly; what happened after" in line for line in lines) == 1
    lines.clear()
    down(home)
    up(home, deploy=False, progress=lines.append)
    assert not any("not stopped cleanly" in line for line in lines)


def test_others_on_this_machine_cannot_read_the_state(home: Path) -> None:
    up(home, deploy=False)
    down(home)
    written = [path for path in (home / "state" / "engine").iterdir() if path.is_file()]
    assert {path.name for path in written} >= {"iam.json"}
    assert [path for path in written if path.stat().st_mode & 0o077] == []


def test_a_stale_pid_file_stops_nobody_and_hinders_nothing(home: Path) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        state = home / "state"
        state.mkdir()
        gone = {"pid": 2**22 - 1, "created": 1.0, "port": 1}
        reused = {"pid": stranger.pid, "created": 1.0, "port": 1}
        (state / "engine.json").write_text(json.dumps(gone))
        (state / "postgres.json").write_text(json.dumps(reused))
        (state / "host.json").write_text("half a fi")
        (state / "identity.json").write_text(json.dumps(reused))
        assert down(home) == []
        assert stranger.poll() is None
        (state / "postgres.json").write_text(json.dumps(reused))
        assert set(up(home, deploy=False).pids) == PARTS
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_part_that_crashed_is_started_again(home: Path) -> None:
    first = up(home, deploy=False)
    for part in ("postgres", "engine", "identity"):
        process = psutil.Process(first.pids[part])
        process.kill()
        assert processes.wait_until_ended([process], 10)
    again = up(home, deploy=False)
    assert again.pids["postgres"] != first.pids["postgres"]
    assert again.pids["engine"] != first.pids["engine"]
    assert again.pids["identity"] != first.pids["identity"]
    assert client(again, "sts").get_caller_identity()["Arn"].endswith("porewatch-operator")


@pytest.mark.slow  # every session of tests has a home of its own beside the person's
def test_two_homes_are_two_clouds(home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="porewatch-other-") as other:
        Path(other).chmod(0o711)
        try:
            mine, theirs = up(home, deploy=False), up(Path(other), deploy=False)
            assert not _ports(mine) & _ports(theirs)
            client(mine, "s3").create_bucket(Bucket="mine")
            assert client(theirs, "s3").list_buckets()["Buckets"] == []
            assert client(mine, "s3").list_buckets()["Buckets"][0]["Name"] == "mine"
        finally:
            down(Path(other))


def test_a_start_that_fails_says_why_with_the_end_of_the_log(home: Path) -> None:
    log = home / "log"
    process, _ = processes.start(
        ["sh", "-c", "echo no space left; exit 1"],
        record=home / "part.json",
        log=log,
        environment={"PATH": os.environ["PATH"]},
    )
    with pytest.raises(LocalProblem, match=r"the part stopped while starting(.|\n)*no space left"):
        processes.wait_ready(process, lambda: False, name="the part", log=log, seconds=5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another identity")
def test_root_in_a_closed_folder_gets_a_database_too(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    place = find_home(closed / "home")
    try:
        database = start_postgres(place)
        assert database.port in _listening()
        assert oct(closed.stat().st_mode)[-3:] == "700"
    finally:
        stop_postgres(place)
