"""One instance or job here: a folder with its console and record, and a process group."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
from pydantic import BaseModel

from porewatch_local.paths import write_private
from porewatch_local.processes import find_process


class Machine(BaseModel):
    """The record of one instance, kept in `machine.json` so that a new host can adopt it.

    A job of AWS Batch is one too: `instance_id` is its id, `host_id` the EC2 host it is reported to
    run on, `role` its own role.
    """

    instance_id: str
    host_id: str = ""
    instance_type: str = "unknown"
    zone: str = ""
    region: str = ""
    account: str = ""
    lifecycle: str = "on-demand"
    image: str = ""
    address: str = ""
    tags: dict[str, str] = {}
    role: str | None = None
    launched_at: datetime
    pid: int = 0
    created: float = 0.0
    notice_until: datetime | None = None
    """When an announced interruption ends the instance."""
    rebalance_at: datetime | None = None
    stop_since: datetime | None = None
    """When SIGTERM was sent because somebody terminated the instance."""
    ended_at: datetime | None = None

    @property
    def is_job(self) -> bool:
        return bool(self.host_id)

    def running(self) -> bool:
        """Whether its first process still lives."""
        return self.ended_at is None and find_process(self.pid, self.created) is not None


def save(folder: Path, machine: Machine) -> None:
    write_private(folder / machine.instance_id / "machine.json", machine.model_dump_json(indent=2))


def load_all(folder: Path) -> dict[str, Machine]:
    """Every instance that has not ended, by id."""
    found = {}
    for path in folder.glob("*/machine.json"):
        with suppress(ValueError, OSError):
            machine = Machine.model_validate_json(path.read_text())
            if machine.ended_at is None:
                found[machine.instance_id] = machine
    return found


def write_script(folder: Path, machine: Machine, user_data: bytes) -> Sequence[str]:
    """The command that runs `user_data`."""
    script = folder / machine.instance_id / "user-data"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_bytes(user_data)
    script.chmod(0o700)
    return [str(script)]


def start(
    folder: Path, machine: Machine, command: Sequence[str], environment: Mapping[str, str]
) -> Machine:
    """Run `command` in the machine's folder; returns the record with its process."""
    room = folder / machine.instance_id
    (room / "tmp").mkdir(parents=True, exist_ok=True)
    with (room / "console.log").open("ab") as console:
        process = subprocess.Popen(
            list(command),
            cwd=room,
            env={**environment, "HOME": str(room), "TMPDIR": str(room / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    created = psutil.Process(process.pid).create_time()
    started = machine.model_copy(update={"pid": process.pid, "created": created})
    save(folder, started)
    return started


def send(machine: Machine, what: signal.Signals) -> None:
    """Signal the whole process group, and descendants that left it."""
    process = find_process(machine.pid, machine.created)
    family = process.children(recursive=True) if process else []
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(machine.pid, what)
    for child in family:
        with suppress(psutil.NoSuchProcess):
            child.send_signal(what)


def group_lives(machine: Machine) -> bool:
    """Whether any process of the instance's group is left (the leader may have gone)."""
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            in_group = os.getpgid(process.pid) == machine.pid
            if in_group and process.status() != psutil.STATUS_ZOMBIE:
                return True
    return False


def reap() -> None:
    """Collect ended children, so that they do not stay as zombies."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def note(folder: Path, instance_id: str, text: str) -> None:
    """A line of the host's own in the instance's console."""
    room = folder / instance_id
    room.mkdir(parents=True, exist_ok=True)
    with (room / "console.log").open("a") as console:
        console.write(f"[instance host {datetime.now(UTC):%H:%M:%S}] {text}\n")
