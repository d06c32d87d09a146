"""Fixtures of the tests that run on the mocked AWS, and who runs which test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from porewatch.adapters.table import Table
from tests.browser import axe, browser  # noqa: F401 - fixtures
from tests.mocked import make_buckets, make_ledger, mocked_aws
from tests.recording import Recording
from validation.shared_data import NoSharedData

# Hypothesis' deadline of 200 ms an example measures the machine, which may be busy.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")
GROUP = re.compile(r"xdist_group\(\"(.+?)\"\)")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """A test without the real data it needs is skipped, with the reason."""
    with _skips_without_shared_data():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _skips_without_shared_data():
        return (yield)


@contextmanager
def _skips_without_shared_data() -> Iterator[None]:
    try:
        yield
    except NoSharedData as missing:
        pytest.skip(str(missing))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-calls", action="store_true", help="write new calls of AWS into their file"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recording(config), "recording")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One process runs all tests of a file, or of a group (files that say `xdist_group("name")`).

    A file's tests share what its fixtures made: reports, bundles, whole runs. `--dist loadfile`
    knows no groups, and `--dist loadgroup` is blind here: xdist 3.8 writes the group into a place
    that pytest 9.2 does not read any more.
    """
    from xdist.scheduler import LoadScopeScheduling  # only there when xdist is used

    if config.getoption("dist") != "loadgroup":
        return None
    root = config.rootpath

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::", 1)[0]
            return group_of(root / file) or file

    return ByGroup(config, log)


@cache
def group_of(file: Path) -> str | None:
    found = GROUP.search(file.read_text("utf-8"))
    return found[1] if found else None


@pytest.fixture
def aws() -> Iterator[None]:
    """An empty mocked AWS, and the environment of a function."""
    with mocked_aws():
        yield


@pytest.fixture
def ledger(aws: None) -> Table:
    """The ledger's table, empty."""
    return make_ledger()


@pytest.fixture
def buckets(aws: None) -> None:
    """The three buckets, empty."""
    make_buckets()
