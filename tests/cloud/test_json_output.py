"""`--json` of every command that reads a stack, held to the published schema."""

from __future__ import annotations

import json
import time

import pytest

from porewatch_local.__main__ import _SECRET
from tests.cloud.lab import Lab
from tests.json_output import ON_A_STACK, fits, lines_fit

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("end to end")]
PATIENCE = 100.0


def test_every_answer_of_a_stack_is_a_document_that_fits(lab: Lab) -> None:
    run, other = lab.run_id("json"), lab.run_id("json-other")
    sent = lab.command("submit", str(lab.demo.run_folder), "--run-id", run, "--wait", "--json")
    assert sent.returncode == 0, sent.stderr
    documents = lines_fit(sent.stdout)
    assert [one["kind"] for one in documents[:2]] == ["submitted", "run"]
    assert documents[-1]["run"]["state"] == "completed"
    places = {"RUN": run, "OTHER": other, "READS": str(lab.demo.run_folder),
              "BUNDLES": str(lab.cloud.home.references)}  # fmt: skip
    for command, arguments in ON_A_STACK.items():
        printed = answer(lab, *(places.get(argument, argument) for argument in arguments))
        if command == "watch":
            assert [one["kind"] for one in lines_fit(printed)] == ["run"]
        else:
            fits(command, printed)
    fits("hold", answer(lab, "hold", run, "--reason", "a test", "--release"))


def answer(lab: Lab, *arguments: str) -> str:
    """What it prints on success. A machine may not be at work yet: then it is tried again."""
    until = time.monotonic() + PATIENCE
    while True:
        done = lab.command(*arguments, "--json")
        if done.returncode == 0:
            return done.stdout
        assert arguments[0] == "chaos" and time.monotonic() < until, (
            arguments,
            done.stdout,
            done.stderr,
        )
        time.sleep(0.3)


def test_up_says_where_it_is(lab: Lab) -> None:
    document = json.loads(lab.cloud.local.model_dump_json(exclude=_SECRET))
    fits("up", json.dumps(document))
