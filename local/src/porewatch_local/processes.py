"""Background processes with a pid file that cannot mistake a stranger for ours.

A record holds the pid and the moment that process was created: a reused pid after a crash or a
reboot has another moment, so the record is stale and nothing of someone else's is ever signalled.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import BaseModel

from porewatch_local.paths import (
    LocalProblem,
    write_private,
)

PRIVATE = 0o077
"""What our processes write is their user's alone: the engine's state holds every secret key."""


class ProcessRecord(BaseModel):
    """One background process, and facts about it that its starter wants to keep."""

    pid: int
    created: float
    port: int = 0

    def alive(self) -> bool:
        return find_process(self.pid, self.created) is not None


def find_process(pid: int, created: float) -> psutil.Process | None:
    """The living process with this pid and creation time, or None."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def read_record(path: Path) -> ProcessRecord | None:
    """The record in `path` if its process lives; a stale file is removed."""
    try:
        record = ProcessRecord.model_validate_json(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    if record.alive():
        return record
    path.unlink(missing_ok=True)
    return None


def last_port(path: Path) -> int | None:
    """The port written next to a pid file by the last start, to be used again."""
    try:
        return int(path.with_suffix(".port").read_text())
    except (FileNotFoundError, ValueError):
        return None


def start(
    command: Sequence[str | Path],
    *,
    record: Path,
    log: Path,
    environment: Mapping[str, str],
    port: int = 0,
    folder: Path | None = None,
    user: int | None = None,
) -> tuple[subprocess.Popen[bytes], ProcessRecord]:
    """Start `command` in a session of its own, output to `log`, and write its record."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            umask=PRIVATE,
        )
    created = psutil.Process(process.pid).create_time()
    made = ProcessRecord(pid=process.pid, created=created, port=port)
    write_private(record, made.model_dump_json())
    record.with_suffix(".port").write_text(str(port))
    return process, made


def wait_ready(
    process: subprocess.Popen[bytes],
    ready: Callable[[], bool],
    *,
    name: str,
    log: Path,
    seconds: float,
) -> None:
    """Call `ready()` until it is true. Raises LocalProblem with the log's end if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalProblem(f"{name} stopped while starting. {log_end(log)}")
        if ready():
            return
        time.sleep(0.05)
    raise LocalProblem(f"{name} was not ready within {seconds:.0f} s. {log_end(log)}")


def log_end(log: Path, lines: int = 12) -> str:
    """The last lines of a log file, for a message."""
    with suppress(OSError):
        text = log.read_text(errors="replace").splitlines()[-lines:]
        return f"The end of {log}:\n" + "\n".join(text)
    return f"No log at {log}."


def stop(path: Path, *, politely: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> bool:
    """Stop the process in the record `path`: `politely`, and SIGKILL after `seconds`.

    Returns True when something was stopped. The children that were alive at the start are
    ended too, so that nothing is left behind.
    """
    record = read_record(path)
    process = find_process(record.pid, record.created) if record else None
    if process is None:
        return False
    family = process.children(recursive=True)
    with suppress(psutil.NoSuchProcess):
        process.send_signal(politely)
    wait_until_ended([process], seconds)
    end_all([process, *family])
    path.unlink(missing_ok=True)
    return True


def end_all(processes: Sequence[psutil.Process]) -> None:
    """SIGKILL whatever of these still lives, and wait until it is gone."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until_ended(processes, 5)


def wait_until_ended(processes: Sequence[psutil.Process], seconds: float) -> bool:
    """Whether all of these ended within `seconds`.

    A zombie has ended: where the machine's first process reaps no orphans, as in many
    containers, it stays in the process table for ever, and `psutil.wait_procs` waits for it.
    """
    deadline = time.monotonic() + seconds
    while any(map(_runs, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
