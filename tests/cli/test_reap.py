"""`porewatch reap` calls the deployed function and shows its answer; it decides nothing itself."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from porewatch.domain.errors import NotFound, Unavailable
from porewatch.domain.reasons.reason import verbatim
from porewatch.domain.rules.orphan_cleanup import Reaped
from porewatch.domain.rules.orphans import (
    Found,
    What,
)
from porewatch_cli.operate import orphans as command
from porewatch_cli.stack import Stack

ORPHAN = Found(
    what=What.INSTANCE,
    name="i-9",
    reasons=(*verbatim("it runs"), *verbatim("no stage")),
    age_s=900,
    action="would end",
)


class Function:
    """The deployed function, as Lambda answers for it; is its own session, too."""

    def __init__(self, answer: Any, *, failed: bool = False) -> None:
        self.answer, self.failed = answer, failed
        self.requests: list[tuple[str, Any]] = []

    def client(self, service: str, **_: Any) -> Function:
        assert service == "lambda"
        return self

    def invoke(self, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803 - AWS's names
        self.requests.append((FunctionName, json.loads(Payload)))
        if isinstance(self.answer, Exception):
            raise self.answer
        text = {"Payload": io.BytesIO(json.dumps(self.answer).encode())}
        return {**text, "FunctionError": "Unhandled"} if self.failed else text


def stack(function: Function) -> Stack:
    return Stack("porewatch-dev", function, {})  # type: ignore[arg-type]


@pytest.mark.parametrize("dry", [True, False])
def test_the_request_is_sent_and_its_answer_shown(
    dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    function = Function(Reaped(dry=dry, found=(ORPHAN,)).model_dump(mode="json"))
    command.orphans(stack(function), dry=dry, kills=7, as_json=True)
    ((name, order),) = function.requests
    assert name == "porewatch-dev-leftover-reaper"
    assert (order["dry"], order["kills"], order["instance_id"]) == (dry, 7, "")
    shown = json.loads(capsys.readouterr().out)
    assert [(f["what"], f["name"], f["action"]) for f in shown["found"]] == [
        ("instance", "i-9", "would end")
    ]


BEFORE_CODES = {
    "dry": True,
    "found": [
        {"what": "volume", "name": "vol-1", "why": ["attached to nothing", "no such stage"],
         "age_s": 7200.0, "action": "would end", "problem": ""},
    ],
    "kills": [
        {"what": "instance", "name": "i-1", "owner": None, "why": ["it runs", "epoch 1 is over"],
         "first_seen": "2026-11-01T10:00:00Z", "at": "2026-11-01T10:06:00Z", "exposed_s": 900.0,
         "usd": 0.1, "outcome": "ended", "problem": ""},
    ],
}  # fmt: skip
"""The answer of a stack whose reasons are sentences alone."""


def test_a_stack_one_version_older_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    command.orphans(stack(Function(BEFORE_CODES)), dry=True, kills=7, as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert shown["found"][0]["why"] == ["attached to nothing", "no such stage"]
    assert shown["kills"][0]["why"] == ["it runs", "epoch 1 is over"]
    command.orphans(stack(Function(BEFORE_CODES)), dry=True, kills=7, as_json=False)
    output = capsys.readouterr().out
    assert all(phrase in output for phrase in ("attached to nothing", "epoch 1 is over"))


def test_a_stack_without_a_reaper_says_what_to_do() -> None:
    error = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Invoke")
    with pytest.raises(NotFound, match="deploy the template"):
        command.orphans(stack(Function(error)), dry=True, kills=0, as_json=True)


def test_a_reaper_that_fails_says_why() -> None:
    failing = Function({"errorMessage": "could not put metrics"}, failed=True)
    with pytest.raises(Unavailable, match="could not put metrics"):
        command.orphans(stack(failing), dry=True, kills=0, as_json=True)


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "?"), (59, "59 s"), (900, "15 min"), (7200, "2 h"), (9e5, "10 d")]
)
def test_an_age_has_one_unit(seconds: float | None, shown: str) -> None:
    assert command._age(seconds) == shown


def test_a_stack_that_only_reports_does_not_promise_an_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """--yes was given, and nothing was ended: neither "to terminate now", nor "in five minutes"."""
    answer = Reaped(dry=True, found=(ORPHAN, ORPHAN.model_copy(update={"action": "noted"})))
    command.orphans(
        stack(Function(answer.model_dump(mode="json"))), dry=False, kills=0, as_json=False
    )
    output = capsys.readouterr().out
    assert "nothing was terminated: the stack was deployed with ReaperDryRun=true" in output
    assert "--yes" not in output
    assert "five minutes" not in output
