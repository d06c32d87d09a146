"""One embedded AWS per test session, in a home of its own, on free ports.

All xdist workers share it: the first that needs it brings it up, the last to leave takes it down.
`cloud` is the engine, the database and the instance host; `stack` has the product deployed too.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from porewatch_local.embedded.clients import client
from porewatch_local.embedded.deploy import deploy_stack
from porewatch_local.embedded.down import down
from porewatch_local.embedded.up import up
from porewatch_local.paths import (
    Home,
    LocalStack,
    find_home,
    locked,
)

if TYPE_CHECKING:
    from tests.cloud.lab import Lab

HERE = Path(__file__).parent
_USERS = pytest.StashKey[Path]()
QUICK: dict[str, Any] = {
    "notice_s": 3.0,
    "grace_s": 1.0,
    "job_grace_s": 3.0,
    "poll_s": 0.5,
    "environment": {
        "POREWATCH_WATCH_SECONDS": "0.5",
        "POREWATCH_UNIT_READS": "300",
        "POREWATCH_CREDENTIALS_SECONDS": "10",
    },
}
"""Clocks of the instance host, and of the workers on its machines, for impatient tests; and units
so small that a machine can be taken away between two of them. Workers renew their credentials every
few seconds, in the middle of whatever they do."""


@dataclass(frozen=True)
class Cloud:
    """The running embedded AWS: where it is, and clients for it."""

    home: Home
    local: LocalStack

    @property
    def outputs(self) -> dict[str, str]:
        return self.local.outputs

    def client(self, service: str) -> Any:
        """A client under the operator's key."""
        return client(self.local, service)


def _session_folder() -> Path:
    """The same for all workers of one pytest run, and no other."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    return Path(tempfile.gettempdir()) / f"porewatch-{run[:12]}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Sign in. Every worker has collected before any runs a test, so nobody comes too late."""
    if session.config.option.collectonly or _USERS in session.stash:
        return
    if not any(HERE in item.path.parents for item in session.items):
        return
    folder = _session_folder()
    (folder / "users").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # PostgreSQL may run as another user
    (folder / "users" / str(os.getpid())).touch()
    session.stash[_USERS] = folder


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Sign out; the last one stops everything and removes the home."""
    folder = session.stash.get(_USERS, None)
    if folder is None or not folder.exists():
        return
    with locked(folder / "lock"):
        (folder / "users" / str(os.getpid())).unlink(missing_ok=True)
        others = [int(user.name) for user in (folder / "users").iterdir()]
        if any(psutil.pid_exists(pid) for pid in others):
            return
        down(folder / "home")
        kept = os.environ.get("POREWATCH_KEEP_CLOUD")
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home of one test's own; what the test brings up in it is taken down."""
    folder = Path(tempfile.mkdtemp(prefix="porewatch-home-"))
    folder.chmod(0o711)  # PostgreSQL may run as another user
    yield folder
    down(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Engine, PostgreSQL and instance host; nothing deployed by this fixture."""
    folder = request.session.stash[_USERS]
    with locked(folder / "lock"):
        local = up(folder / "home", deploy=False, **QUICK)
    return Cloud(find_home(folder / "home"), local)


@pytest.fixture(scope="session")
def stack(cloud: Cloud, request: pytest.FixtureRequest) -> Cloud:
    """The real template, built and deployed."""
    with locked(request.session.stash[_USERS] / "lock"):
        local = deploy_stack(cloud.home, cloud.local)
        cloud.home.write(local)
    return Cloud(cloud.home, local)


@pytest.fixture(scope="session")
def lab(stack: Cloud, request: pytest.FixtureRequest) -> Lab:
    """The laboratory, with the runs of every module that is to be tested under way."""
    from tests.cloud.lab import Lab

    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    values = [
        v for test in tests if hasattr(test, "callspec") for v in test.callspec.params.values()
    ]
    made = Lab(stack, frozenset(value for value in values if isinstance(value, str)))
    made.demo, made.subscriptions  # noqa: B018 - before the first run can need them
    modules = {test.module for test in tests}
    for module in sorted(modules, key=lambda module: module.__name__):
        if hasattr(module, "send_runs"):
            module.send_runs(made)
    return made
