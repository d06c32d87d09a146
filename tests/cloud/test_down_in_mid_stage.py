"""`make down` while a worker screens, `make up` again: the run goes on and ends with its report.

A stack of its own, built and deployed: slow. tests/functional/test_reconciling.py has its parts.
"""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from porewatch.domain.calls.findings import Call
from porewatch.domain.results.report import Report
from porewatch.domain.runs import RunState
from porewatch_cli.runs.run_view import RunView, follow
from porewatch_cli.stack import find_stack
from porewatch_cli.submit.submit import submit
from porewatch_local.embedded.down import down
from porewatch_local.embedded.up import up
from porewatch_local.paths import find_home
from porewatch_worker.simulate.demo import make_demo
from tests.cloud.conftest import QUICK
from tests.cloud.lab import SCALE, found
from tests.cloud.test_interruption import SCREEN, is_well_under_way

pytestmark = [pytest.mark.cloud, pytest.mark.slow]
RUN = "stopped-in-mid-stage"


def seen(home: Path, wanted: str = "under way") -> RunView:
    """The run when a worker screens it, or at its end."""
    for view in follow(RUN, find_stack(folder=home)):
        if wanted == "under way" and any(is_well_under_way(stage) for stage in view.stages):
            return view
    return view


def test_a_run_goes_on_after_down_and_up(home: Path) -> None:
    demo = make_demo(home / "demo-data", find_home(home).references, scale=SCALE)
    up(home, **QUICK)
    submit(demo.run_folder, stack=find_stack(folder=home), run_id=RUN, quiet=True)
    before = seen(home)
    assert not before.over
    down(home)
    left = [" ".join(p.info["cmdline"] or ()) for p in psutil.process_iter(["cmdline"])]
    assert [line for line in left if str(home) in line] == []

    up(home, **QUICK)
    after = seen(home, "its end")
    assert after.run.state is RunState.COMPLETED, after.run.problem
    stack = find_stack(folder=home)
    report = Report.model_validate_json(
        stack.bucket("Reports").get(after.run.report_keys["report.json"])
    )
    for sample, expected in demo.expected.items():
        assert found(report, Call.DETECTED, sample) == set(expected)
    (screen,) = (stage for stage in after.stages if stage.stage == SCREEN)
    (first,) = (stage for stage in before.stages if stage.stage == SCREEN)
    assert screen.epoch > first.epoch
    assert screen.instance_id != first.instance_id
