"""Who is blamed for a call of AWS that nobody wrote down."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.calls import Calls, recorded
from tests.recording import Recording


@pytest.fixture
def noted() -> Calls:
    """A recording with made-up calls; the suite's own listener does not know of it."""
    return Calls()


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch, noted: Calls) -> Recording:
    monkeypatch.setattr(BaseClient, "_make_api_call", BaseClient._make_api_call)
    config: Any = SimpleNamespace(getoption=lambda _: False)
    return Recording(config, noted)


def makes(noted: Calls, operation: str) -> None:
    noted.add(f'{{"worker": {{"{operation}": [[], []]}}}}')


def ended(one: Iterator[None], error: BaseException | None = None) -> str:
    """How the test ended: the error that is reported of it."""
    try:
        if error is None:
            next(one)
        else:
            one.throw(error)  # type: ignore[attr-defined]
    except StopIteration:
        return "passed"
    except (pytest.fail.Exception, AssertionError) as failure:
        return str(failure)
    raise AssertionError("it goes on")


def test_a_test_that_passes_with_an_unknown_call_fails_and_the_next_does_not(
    listener: Recording, noted: Calls
) -> None:
    item: Any = None
    next(one := listener.pytest_runtest_call(item))
    makes(noted, "s3.Unheard")
    assert "a call that is not recorded: ['worker: s3.Unheard']" in ended(one)
    next(after := listener.pytest_runtest_call(item))
    assert ended(after) == "passed"


def test_a_test_that_fails_keeps_its_error_and_the_next_is_not_blamed_for_its_call(
    listener: Recording, noted: Calls
) -> None:
    item: Any = None
    next(one := listener.pytest_runtest_call(item))
    makes(noted, "s3.Unheard")
    assert ended(one, AssertionError("its own")) == "its own"
    next(after := listener.pytest_runtest_call(item))
    assert ended(after) == "passed"
    next(third := listener.pytest_runtest_call(item))
    makes(noted, "s3.Unseen")
    assert "['worker: s3.Unseen']" in ended(third)


def test_calls_are_compared_only_when_there_are_new_ones(
    listener: Recording, noted: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(noted, "beyond", lambda _: looked.append(1) or [])
    item: Any = None
    for _ in range(2):
        next(one := listener.pytest_runtest_call(item))
        noted.add(recorded().text())
        assert ended(one) == "passed"
    assert looked == [1]


@pytest.mark.parametrize(
    ("marks", "ends"), [("", pytest.ExitCode.TESTS_FAILED), ("not slow", pytest.ExitCode.OK)]
)
def test_a_recorded_call_that_nobody_makes_fails_a_run_of_all_tests(
    monkeypatch: pytest.MonkeyPatch,
    noted: Calls,
    capsys: pytest.CaptureFixture[str],
    marks: str,
    ends: pytest.ExitCode,
) -> None:
    monkeypatch.setattr(BaseClient, "_make_api_call", BaseClient._make_api_call)
    options = {"markexpr": marks, "keyword": "", "record_calls": False}
    config: Any = SimpleNamespace(
        getoption=options.__getitem__, args=["tests"], getini=lambda _: ["tests"]
    )
    session: Any = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    noted.add(recorded().text())
    whole = Recording(config, noted)
    whole.pytest_sessionfinish(session, 0)
    assert session.exitstatus == pytest.ExitCode.OK

    noted.kept.popitem()
    whole = Recording(config, noted)
    whole.pytest_sessionfinish(session, 0)
    assert session.exitstatus == ends
    assert "called by no test any more" in capsys.readouterr().out
