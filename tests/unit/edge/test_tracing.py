from __future__ import annotations

from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder

from porewatch.edge.tracing import subsegment

SAMPLED = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1"


class Kept:
    """Where the recorder sends its segments, instead of to a daemon."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send_entity(self, entity: Any) -> None:
        self.sent.append(entity)

    def set_daemon_address(self, address: str) -> None: ...


@pytest.fixture
def kept() -> Kept:
    emitter = Kept()
    xray_recorder.configure(sampling=False, emitter=emitter, context_missing="RUNTIME_ERROR")
    return emitter


def test_without_a_sampled_trace_nothing_is_recorded(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED.replace("Sampled=1", "Sampled=0"))
    with subsegment("work") as annotate:  # would raise if it called the recorder
        annotate(run_id="r")
    assert kept.sent == []


def test_a_sampled_invocation_records_its_work_and_its_run(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    with xray_recorder.in_segment("function"), subsegment("work") as annotate:
        annotate(run_id="run-1")
    (segment,) = kept.sent
    (inner,) = segment.subsegments
    assert (inner.name, inner.annotations) == ("work", {"run_id": "run-1"})


def test_a_trace_that_went_astray_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", SAMPLED)
    xray_recorder.configure(context_missing="LOG_ERROR")
    done = False
    with subsegment("work") as annotate:
        annotate(run_id="run-1")
        done = True
    assert done
