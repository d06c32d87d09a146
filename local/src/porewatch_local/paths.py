"""Where the embedded AWS keeps things, and what it writes down for others.

A home is one folder (default `<repository>/.porewatch`, or POREWATCH_HOME). Two homes are two
independent clouds. The environments (engine, SAM) are shared: they stay in the repository's
`.porewatch`, or POREWATCH_TOOLS. `local.json` in the home is what the command line reads.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

REGION = "us-east-1"
ACCOUNT = "000000000000"
LOOPBACK = "127.0.0.1"
PORT_PATIENCE_S = 3.0


class LocalProblem(RuntimeError):
    """The embedded AWS cannot do this; the message names the remedy."""


class Credentials(BaseModel):
    """An access key of the local account."""

    model_config = ConfigDict(frozen=True)

    access_key_id: str
    secret_access_key: str


class Control(BaseModel):
    """The instance host's control address; requests carry the token in `X-Porewatch-Token`."""

    model_config = ConfigDict(frozen=True)

    url: str
    token: str


class IdentityProvider(BaseModel):
    """Where people sign in (the local stand-in for Globus), and Porewatch as its client."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    client_id: str
    client_secret: str


class LocalStack(BaseModel):
    """`local.json`: everything a client of the embedded AWS needs."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    region: str = REGION
    account: str = ACCOUNT
    credentials: Credentials
    stack_name: str | None = None
    outputs: dict[str, str] = {}
    control: Control | None = None
    database: str | None = None
    identity: IdentityProvider | None = None
    pids: dict[str, int] = {}


@dataclass(frozen=True)
class Home:
    """The folders of one embedded AWS."""

    root: Path
    tools: Path
    repository: Path

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def instances(self) -> Path:
        return self.state / "instances"

    @property
    def mail(self) -> Path:
        """What the embedded AWS has sent."""
        return self.root / "mail"

    @property
    def references(self) -> Path:
        return Path(os.environ.get("POREWATCH_REFERENCES") or self.root / "references")

    @property
    def local_json(self) -> Path:
        return self.root / "local.json"

    @property
    def engine_python(self) -> Path:
        return self.tools / "engine" / "bin" / "python"

    @property
    def sam_python(self) -> Path:
        return self.tools / "sam" / "bin" / "python"

    def read(self) -> LocalStack:
        """`local.json`. Raises LocalProblem when the embedded AWS was never started here."""
        try:
            return LocalStack.model_validate_json(self.local_json.read_text())
        except FileNotFoundError:
            raise LocalProblem(
                f"no embedded AWS is set up in {self.root}. Remedy: run `porewatch up`."
            ) from None

    def write(self, stack: LocalStack) -> None:
        """Write `local.json`, readable by its owner only (it holds keys)."""
        write_private(self.local_json, stack.model_dump_json(indent=2))


def find_home(root: Path | None = None) -> Home:
    """The home to use: the argument, POREWATCH_HOME, or the repository's `.porewatch`."""
    repository = _repository()
    default = repository / ".porewatch"
    chosen = root or Path(os.environ.get("POREWATCH_HOME") or default)
    tools = Path(os.environ.get("POREWATCH_TOOLS") or default)
    return Home(chosen.absolute(), tools.absolute(), repository)


def _repository() -> Path:
    candidates = [Path(__file__).resolve().parents[3], Path.cwd(), *Path.cwd().parents]
    for folder in candidates:
        if (folder / "pyproject.toml").exists() and (folder / "local").is_dir():
            return folder
    raise LocalProblem("run this inside a clone of the Porewatch repository.")


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step with `text`, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    draft.replace(path)


def remembered(path: Path, name: str, length: int = 20) -> str:
    """A random secret made once per home and kept in `path` (JSON, mode 0600)."""
    known = json.loads(path.read_text()) if path.exists() else {}
    if name not in known:
        known[name] = secrets.token_hex(length)
        write_private(path, json.dumps(known))
    return str(known[name])


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; waits for whoever holds it. Released when the process dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port(wish: int | None = None) -> int:
    """A free loopback TCP port: `wish` when it is free, or soon is, else any. (A process that has
    ended may hold its port until its last thread is gone.)"""
    until = time.monotonic() + PORT_PATIENCE_S
    while wish is not None:
        if found := _bound(wish):
            return found
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    if found := _bound(0):
        return found
    raise LocalProblem("no free port on the loopback address.")


def _bound(port: int) -> int | None:
    """The port that the kernel gives for `port` (0: any); None when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])
