"""What pytest does for `tests.calls`: it listens, and fails the test that makes an unknown call.

Calls of `tests/cloud` are not noted: the engine asks IAM of each, and functions run elsewhere.
A run of every test, the slow ones included, fails when the file holds a call that no test makes any
more: a right would stand by it. Without the slow ones it is only printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.calls import NOTED, RECORDED, Calls, noting, recorded

CLOUD = Path(__file__).parent / "cloud"
REWRITE = "pytest --record-calls over the whole suite writes the file afresh"
REMEDY = "pytest --record-calls writes it down; tests/judges/test_recorded_calls.py judges it"


class Recording:
    """`noted`: what is seen. `records`: write it down, instead of failing."""

    def __init__(self, config: pytest.Config, noted: Calls = NOTED) -> None:
        self._config, self._records = config, bool(config.getoption("record_calls"))
        self._known, self._seen, self._listens = recorded(), Calls(), True
        self._noted, self._size = noted, 0
        BaseClient._make_api_call = noting(BaseClient._make_api_call, lambda: self._listens)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._listens = CLOUD not in item.path.parents

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        try:
            yield
        finally:  # a test that fails keeps its own error
            unknown = self._unknown()
        if unknown and not self._records:
            pytest.fail(f"a call that is not recorded: {unknown}. {REMEDY}.", pytrace=False)

    def _unknown(self) -> list[str]:
        """What came since the last look and is not recorded; it is answered once, so that the next
        test is not blamed for it."""
        size = self._noted.size
        if size == self._size:
            return []
        self._size = size
        unknown = self._noted.beyond(self._known)
        if unknown:
            self._known.add(self._noted.text())
        return unknown

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended."""
        self._seen.add(getattr(node, "workeroutput", {}).get("calls", "{}"))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        output: dict[str, str] | None = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["calls"] = self._noted.text()
            return
        self._seen.add(self._noted.text())
        if self._records:
            kept = Calls() if self._is_whole() else recorded()
            kept.add(self._seen.text())
            RECORDED.write_text(kept.text(), encoding="utf-8")
        elif exitstatus == 0 and self._is_whole():
            gone = [key for key in recorded().kept if key not in self._seen.kept]
            if gone:
                print(f"\nrecorded, but called by no test any more: {gone}. {REWRITE}.")
                if not self._config.getoption("markexpr"):
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _is_whole(self) -> bool:
        """Every test, but perhaps the slow ones."""
        config = self._config
        marks = config.getoption("markexpr") in ("", "not slow")
        paths = config.args == [str(path) for path in config.getini("testpaths")]
        return marks and paths and not config.getoption("keyword")
