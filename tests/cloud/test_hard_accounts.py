"""A young account, on the embedded AWS: no spot machine anywhere, on-demand ones in a single zone,
ten functions at once. A whole run ends with its report.

A stack of its own, built and deployed: slow. tests/simulator/test_hard_accounts.py has each of
these alone, and tests/cloud/test_strict_engine.py what the engine refuses.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunState
from porewatch_cli.runs.run_view import follow
from porewatch_cli.stack import find_stack
from porewatch_cli.submit.submit import submit
from porewatch_local.embedded.capacity_limits import (
    Scarce,
    scarce,
)
from porewatch_local.embedded.clients import client
from porewatch_local.embedded.up import up
from porewatch_local.paths import (
    REGION,
    find_home,
)
from porewatch_worker.simulate.demo import make_demo
from tests.cloud.conftest import QUICK
from tests.cloud.lab import SCALE, found

pytestmark = [pytest.mark.cloud, pytest.mark.slow]
RUN = "of-a-young-account"
ZONE = f"{REGION}b"
ELSEWHERE = [Scarce(purchase="on-demand", pool=f"*@{REGION}{zone}") for zone in "acdef"]


def test_a_run_of_a_young_account_ends_with_its_report(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBDA_ACCOUNT_CONCURRENCY", "10")
    demo = make_demo(home / "demo-data", find_home(home).references, scale=SCALE)
    local = up(home, **QUICK)
    account = client(local, "lambda").get_account_settings()["AccountLimit"]
    assert account["ConcurrentExecutions"] == 10

    stack = find_stack(folder=home)
    with scarce(find_home(home), Scarce(purchase="spot"), *ELSEWHERE):
        submit(demo.run_folder, stack=stack, run_id=RUN, quiet=True)
        *_, last = follow(RUN, stack)

    assert last.run.state is RunState.COMPLETED, last.run.problem
    assert {stage.purchase for stage in last.stages} == {"on-demand"}
    assert {stage.availability_zone for stage in last.stages} == {ZONE}
    report = Report.model_validate_json(
        stack.bucket("Reports").get(last.run.report_keys["report.json"])
    )
    for sample, expected in demo.expected.items():
        assert found(report, Call.DETECTED, sample) == set(expected)
