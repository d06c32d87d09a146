"""`porewatch logs`: what workers wrote, and what machines printed that never had one."""

from __future__ import annotations

import json

import boto3
import pytest

from porewatch.domain import s3_keys
from porewatch.domain.errors import NotFound
from porewatch_cli.runs.logs import logs as show_logs
from porewatch_cli.stack import Stack
from porewatch_worker.report.parts.i18n import speaking
from tests.cli.people import REGION, STACK, a_stack

WHO = "AROAWORKER:i-1"


def test_r6_the_console_of_a_machine_that_never_spoke_is_among_the_logs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with a_stack() as outputs:
        key = s3_keys.console_key("run-1", 0, "screen", 2, "i-2")
        boto3.client("s3").put_object(Bucket="results", Key=key, Body=b"kernel: panic\x1b[2J")
        stack = Stack(STACK, boto3.Session(region_name=REGION), outputs)
        show_logs(stack, "run-1", None, as_json=True)
        logs = json.loads(capsys.readouterr().out)["logs"]
        show_logs(stack, "run-1", "screen", as_json=False)
    assert logs["screen epoch 2, boot of i-2"] == "kernel: panic\x1b[2J"
    assert logs[f"screen epoch 1, boot of {WHO}"] == logs["screen epoch 1"] == "its output"
    shown = capsys.readouterr().out
    assert "│ kernel: panic" in shown and "\x1b[2J" not in shown


def test_a_stage_that_the_run_did_not_have_is_refused() -> None:
    with a_stack() as outputs:
        stack = Stack(STACK, boto3.Session(region_name=REGION), outputs)
        with pytest.raises(NotFound, match=r"no stage 'nosuch'.*screen"):
            show_logs(stack, "run-1", "nosuch", as_json=True)


def test_the_history_is_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    with a_stack() as outputs:
        stack = Stack(STACK, boto3.Session(region_name=REGION), outputs)
        show_logs(stack, "run-1", None, as_json=False)
        facts = stack.stages.facts("run-1", 0)
    shown = capsys.readouterr().out
    history = shown.splitlines()[: len(facts)]
    assert facts and all(line[8:10] == "  " for line in history)
    assert not any(sign in line for line in history for sign in "={}[]'")


def test_the_history_is_told_in_the_readers_language(capsys: pytest.CaptureFixture[str]) -> None:
    with a_stack() as outputs:
        stack = Stack(STACK, boto3.Session(region_name=REGION), outputs)
        show_logs(stack, "run-1", None, as_json=False)
        english = capsys.readouterr().out
        with speaking("ja"):
            show_logs(stack, "run-1", None, as_json=False)
    japanese = capsys.readouterr().out
    assert "run sealed" in english and "ラン確定" not in english
    assert "ラン確定" in japanese and "run sealed" not in japanese
